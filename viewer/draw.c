/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <epoxy/gl.h>

/* A strip of two triangles that covers the viewport; `at` runs from 0 to 1 over it, from the top left. */
static const char vertex_source[] =
	"#version 330 core\n"
	"out vec2 at;\n"
	"void main() {\n"
	"  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);\n"
	"  at = vec2(corner.x, 1.0 - corner.y);\n"
	"  gl_Position = vec4(2.0 * corner - 1.0, 0.0, 1.0);\n"
	"}\n";

/* Lighter above the middle; the noise keeps the slow gradient from showing steps. Painted from the foot up, as textures that are drawn into are. */
static const char ground_source[] =
	"#version 330 core\n"
	"in vec2 at;\n"
	"out vec4 color;\n"
	"uniform vec2 area;\n"         /* size of the viewport, pixels */
	"uniform vec3 edge, middle;\n" /* colours */
	"uniform float grain;\n"       /* levels of noise */
	"float noise(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453); }\n"
	"void main() {\n"
	"  vec2 off = (at - 0.5) * area / max(area.x, area.y);\n"
	"  float light = smoothstep(0.75, 0.0, length(off - vec2(0.0, 0.08)));\n"
	"  vec3 ground = mix(edge, middle, light) + grain * (noise(gl_FragCoord.xy) - 0.5) / 255.0;\n"
	"  color = vec4(ground, 1.0);\n"
	"}\n";

/* Nothing but the texture, and a pass for each: software drivers have quick ways for that, and take twice as long for one pass that
 * puts all three together. */
static const char texture_source[] = "#version 330 core\n"
				     "in vec2 at;\n"
				     "out vec4 color;\n"
				     "uniform sampler2D source;\n"
				     "void main() { color = texture(source, at); }\n";

/* Drivers' logs have several lines; the reason has one. */
static void make_one_line(char *text)
{
	for (char *c = text; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	for (size_t n = strlen(text); n && text[n - 1] == ' '; n--)
		text[n - 1] = '\0';
}

static GLuint compile(GLenum kind, const char *source, char *reason, size_t reason_bytes)
{
	GLuint shader = glCreateShader(kind);
	GLint good = GL_FALSE;
	glShaderSource(shader, 1, &source, NULL);
	glCompileShader(shader);
	glGetShaderiv(shader, GL_COMPILE_STATUS, &good);
	if (good)
		return shader;
	char log[256] = "";
	glGetShaderInfoLog(shader, sizeof log, NULL, log);
	make_one_line(log);
	snprintf(reason, reason_bytes, "OpenGL does not compile the viewer's shader: %s", log);
	glDeleteShader(shader);
	return 0;
}

static GLuint link_program(const char *fragment_source, char *reason, size_t reason_bytes)
{
	GLuint vertex = compile(GL_VERTEX_SHADER, vertex_source, reason, reason_bytes);
	GLuint fragment = vertex ? compile(GL_FRAGMENT_SHADER, fragment_source, reason, reason_bytes) : 0;
	GLuint program = 0;
	if (fragment) {
		GLint good = GL_FALSE;
		program = glCreateProgram();
		glAttachShader(program, vertex);
		glAttachShader(program, fragment);
		glLinkProgram(program);
		glGetProgramiv(program, GL_LINK_STATUS, &good);
		if (!good) {
			snprintf(reason, reason_bytes, "OpenGL does not link the viewer's shaders");
			glDeleteProgram(program);
			program = 0;
		}
	}
	glDeleteShader(vertex); /* 0 is ignored */
	glDeleteShader(fragment);
	return program;
}

static void create_texture(draw_texture *t, GLint filter)
{
	glGenTextures(1, &t->texture);
	glBindTexture(GL_TEXTURE_2D, t->texture);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, filter);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
}

bool draw_init(draw *d, char *reason, size_t reason_bytes)
{
	memset(d, 0, sizeof *d);
	d->ground_program = link_program(ground_source, reason, reason_bytes);
	d->texture_program = d->ground_program ? link_program(texture_source, reason, reason_bytes) : 0;
	if (!d->texture_program)
		return false;
	d->ground_area = glGetUniformLocation(d->ground_program, "area");
	d->ground_edge = glGetUniformLocation(d->ground_program, "edge");
	d->ground_middle = glGetUniformLocation(d->ground_program, "middle");
	d->ground_grain = glGetUniformLocation(d->ground_program, "grain");
	glGenVertexArrays(1, &d->vertices);
	glGenFramebuffers(1, &d->ground_frame);
	glGenBuffers(2, d->staging);
	create_texture(&d->ground, GL_NEAREST);
	create_texture(&d->picture, GL_LINEAR);
	create_texture(&d->sheet, GL_NEAREST);
	create_texture(&d->bar, GL_NEAREST);
	d->tells_loss = epoxy_has_gl_extension("GL_ARB_robustness");
	GLenum error = glGetError();
	if (error != GL_NO_ERROR)
		snprintf(reason, reason_bytes, "OpenGL does not set up the viewer's textures (error 0x%x)", error);
	return error == GL_NO_ERROR;
}

void draw_free(draw *d)
{
	glDeleteProgram(d->ground_program);
	glDeleteProgram(d->texture_program);
	glDeleteVertexArrays(1, &d->vertices);
	glDeleteBuffers(2, d->staging);
	glDeleteFramebuffers(1, &d->ground_frame);
	glDeleteTextures(1, &d->ground.texture);
	glDeleteTextures(1, &d->picture.texture);
	glDeleteTextures(1, &d->sheet.texture);
	glDeleteTextures(1, &d->bar.texture);
	memset(d, 0, sizeof *d);
}

bool draw_is_lost(const draw *d)
{
	return d->tells_loss && glGetGraphicsResetStatusARB() != GL_NO_ERROR;
}

/* Fills the next pixel buffer; the driver copies from there while this thread goes on. */
static bool stage(draw *d, const uint8_t *rgba, size_t bytes)
{
	d->turn ^= 1u;
	glBindBuffer(GL_PIXEL_UNPACK_BUFFER, d->staging[d->turn]);
	glBufferData(GL_PIXEL_UNPACK_BUFFER, (GLsizeiptr)bytes, NULL, GL_STREAM_DRAW);
	void *mapped = glMapBufferRange(
		GL_PIXEL_UNPACK_BUFFER, 0, (GLsizeiptr)bytes, GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT);
	if (mapped)
		memcpy(mapped, rgba, bytes);
	return mapped && glUnmapBuffer(GL_PIXEL_UNPACK_BUFFER);
}

/* In the order of the bytes, or of cairo's words. */
typedef struct pixel_form {
	GLenum format, type;
} pixel_form;

static const pixel_form form_bytes = {GL_RGBA, GL_UNSIGNED_BYTE}, form_cairo = {GL_BGRA, GL_UNSIGNED_INT_8_8_8_8_REV};

static bool upload(draw *d, draw_texture *t, pixel_form form, const uint8_t *pixels, uint32_t width, uint32_t height)
{
	bool good = stage(d, pixels, (size_t)width * height * 4);
	if (good) {
		GLsizei w = (GLsizei)width, h = (GLsizei)height;
		glBindTexture(GL_TEXTURE_2D, t->texture);
		if (t->width == width && t->height == height)
			glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, w, h, form.format, form.type, NULL);
		else
			glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, w, h, 0, form.format, form.type, NULL);
		good = glGetError() == GL_NO_ERROR;
		t->width = good ? width : 0;
		t->height = good ? height : 0;
	}
	glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 0);
	return good;
}

bool draw_set_picture(draw *d, const uint8_t *rgba, uint32_t width, uint32_t height)
{
	return upload(d, &d->picture, form_bytes, rgba, width, height);
}

bool draw_set_bar(draw *d, const uint8_t *rgba, uint32_t width, uint32_t height)
{
	return upload(d, &d->bar, form_bytes, rgba, width, height);
}

bool draw_set_sheet(draw *d, const uint8_t *argb, uint32_t width, uint32_t height)
{
	d->has_sheet = argb && upload(d, &d->sheet, form_cairo, argb, width, height);
	return d->has_sheet || !argb;
}

static void cover(void)
{
	glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
}

/* The ground is painted when the window or its colours change: each of its pixels costs more than all else that is drawn there. */
static void paint_ground(draw *d, uint32_t width, uint32_t height)
{
	draw_texture *t = &d->ground;
	if (t->width == width && t->height == height && d->painted_plain == d->plain &&
		!memcmp(d->painted, d->behind, sizeof d->painted))
		return;
	GLint window = 0;
	glGetIntegerv(GL_DRAW_FRAMEBUFFER_BINDING, &window);
	glBindTexture(GL_TEXTURE_2D, t->texture);
	glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, (GLsizei)width, (GLsizei)height, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
	glBindFramebuffer(GL_DRAW_FRAMEBUFFER, d->ground_frame);
	glFramebufferTexture2D(GL_DRAW_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, t->texture, 0);
	const bool good = glGetError() == GL_NO_ERROR && glCheckFramebufferStatus(GL_DRAW_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
	t->width = good ? width : 0;
	t->height = good ? height : 0;
	if (!good) {
		glBindFramebuffer(GL_DRAW_FRAMEBUFFER, (GLuint)window);
		return;
	}
	glViewport(0, 0, (GLsizei)width, (GLsizei)height);
	glUseProgram(d->ground_program);
	glUniform2f(d->ground_area, (float)width, (float)height);
	glUniform3fv(d->ground_edge, 1, d->behind[0]);
	glUniform3fv(d->ground_middle, 1, d->behind[1]);
	glUniform1f(d->ground_grain, d->plain ? 0.0f : 1.0f);
	cover();
	glBindFramebuffer(GL_DRAW_FRAMEBUFFER, (GLuint)window);
	d->painted_plain = d->plain;
	memcpy(d->painted, d->behind, sizeof d->painted);
}

static void draw_texture_at(const draw_texture *t, int x, int y, uint32_t width, uint32_t height)
{
	glBindTexture(GL_TEXTURE_2D, t->texture);
	glViewport(x, y, (GLsizei)width, (GLsizei)height);
	cover();
}

/* Letterboxed into the area whose foot is at `y`. */
static void draw_picture(const draw_texture *t, uint32_t y, uint32_t width, uint32_t height)
{
	if (!t->width)
		return;
	const double zoom = fmin((double)width / (double)t->width, (double)height / (double)t->height);
	const uint32_t wide = (uint32_t)fmax(round(zoom * (double)t->width), 1.0), high = (uint32_t)fmax(round(zoom * (double)t->height), 1.0);
	draw_texture_at(t, (int)(width - wide) / 2, (int)(y + (height - high) / 2), wide, high);
}

void draw_frame(draw *d, const draw_layout *layout)
{
	const uint32_t width = layout->width, bar = layout->bar_height, above = layout->height - bar;
	glBindVertexArray(d->vertices);
	paint_ground(d, width, above);
	if (!d->ground.width || (bar && !d->bar.width)) { /* else all is drawn over */
		glClearColor(d->behind[0][0], d->behind[0][1], d->behind[0][2], 1.0f);
		glClear(GL_COLOR_BUFFER_BIT);
	}
	glUseProgram(d->texture_program);
	if (d->ground.width)
		draw_texture_at(&d->ground, 0, (int)bar, width, above);
	glEnable(GL_BLEND);
	glBlendFunc(GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
	draw_picture(&d->picture, bar, width, above);
	if (d->has_sheet)
		draw_texture_at(&d->sheet, 0, (int)bar, width, above);
	glDisable(GL_BLEND);
	if (bar && d->bar.width)
		draw_texture_at(&d->bar, 0, 0, width, bar);
}

void draw_read(const draw_layout *layout, uint8_t *out_rgba)
{
	size_t row = (size_t)layout->width * 4;
	glPixelStorei(GL_PACK_ALIGNMENT, 4);
	glReadBuffer(GL_BACK);
	for (uint32_t y = 0; y < layout->height; y++) /* OpenGL counts rows from the foot */
		glReadPixels(0, (GLint)(layout->height - 1 - y), (GLsizei)layout->width, 1, GL_RGBA, GL_UNSIGNED_BYTE,
			out_rgba + y * row);
}
