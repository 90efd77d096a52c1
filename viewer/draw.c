/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <epoxy/gl.h>

/* One triangle that covers the viewport; `at` runs from 0 to 1 over it, from the top left. */
static const char vertex_source[] =
	"#version 330 core\n"
	"out vec2 at;\n"
	"void main() {\n"
	"  vec2 corner = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);\n"
	"  at = vec2(corner.x, 1.0 - corner.y);\n"
	"  gl_Position = vec4(2.0 * corner - 1.0, 0.0, 1.0);\n"
	"}\n";

/* The picture over a ground that is lighter in the middle; the noise keeps its slow gradient from showing steps. */
static const char model_source[] =
	"#version 330 core\n"
	"in vec2 at;\n"
	"out vec4 color;\n"
	"uniform sampler2D picture;\n"
	"uniform vec2 area;\n"   /* size of the viewport, pixels */
	"uniform vec2 extent;\n" /* share of it that the picture takes; 0 for none */
	"uniform vec3 edge, middle;\n" /* colours of the ground */
	"uniform float grain;\n"       /* levels of noise */
	"float noise(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453); }\n"
	"void main() {\n"
	"  vec2 off = (at - 0.5) * area / max(area.x, area.y);\n"
	"  float light = smoothstep(0.75, 0.0, length(off - vec2(0.0, -0.08)));\n"
	"  vec3 ground = mix(edge, middle, light);\n"
	"  ground += grain * (noise(gl_FragCoord.xy) - 0.5) / 255.0;\n"
	"  vec4 model = vec4(0.0);\n"
	"  if (extent.x > 0.0) {\n"
	"    vec2 in_picture = (at - 0.5) / extent + 0.5;\n"
	"    if (all(greaterThanEqual(in_picture, vec2(0.0))) && all(lessThanEqual(in_picture, vec2(1.0))))\n"
	"      model = texture(picture, in_picture);\n"
	"  }\n"
	"  color = vec4(model.rgb + (1.0 - model.a) * ground, 1.0);\n"
	"}\n";

static const char bar_source[] = "#version 330 core\n"
				 "in vec2 at;\n"
				 "out vec4 color;\n"
				 "uniform sampler2D picture;\n"
				 "void main() { color = texture(picture, at); }\n";

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
	d->model_program = link_program(model_source, reason, reason_bytes);
	if (!d->model_program)
		return false;
	d->bar_program = link_program(bar_source, reason, reason_bytes);
	if (!d->bar_program)
		return false;
	d->model_area = glGetUniformLocation(d->model_program, "area");
	d->model_extent = glGetUniformLocation(d->model_program, "extent");
	d->model_edge = glGetUniformLocation(d->model_program, "edge");
	d->model_middle = glGetUniformLocation(d->model_program, "middle");
	d->model_grain = glGetUniformLocation(d->model_program, "grain");
	glGenVertexArrays(1, &d->vertices);
	glGenBuffers(2, d->staging);
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
	glDeleteProgram(d->model_program);
	glDeleteProgram(d->bar_program);
	glDeleteVertexArrays(1, &d->vertices);
	glDeleteBuffers(2, d->staging);
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

static void draw_texture_over(const draw *d, const draw_texture *t)
{
	glUseProgram(d->bar_program);
	glBindTexture(GL_TEXTURE_2D, t->texture);
	glDrawArrays(GL_TRIANGLES, 0, 3);
}

static void draw_model(const draw *d, float width, float height)
{
	float extent[2] = {0.0f, 0.0f};
	if (d->picture.width) {
		float x = width / (float)d->picture.width, y = height / (float)d->picture.height;
		float zoom = x < y ? x : y;
		extent[0] = zoom / x;
		extent[1] = zoom / y;
	}
	glUseProgram(d->model_program);
	glBindTexture(GL_TEXTURE_2D, d->picture.texture);
	glUniform2f(d->model_area, width, height);
	glUniform2f(d->model_extent, extent[0], extent[1]);
	glUniform3fv(d->model_edge, 1, d->ground[0]);
	glUniform3fv(d->model_middle, 1, d->ground[1]);
	glUniform1f(d->model_grain, d->plain ? 0.0f : 1.0f);
	glDrawArrays(GL_TRIANGLES, 0, 3);
}

void draw_frame(const draw *d, const draw_layout *layout)
{
	GLsizei width = (GLsizei)layout->width, above = (GLsizei)(layout->height - layout->bar_height);
	GLsizei bar = (GLsizei)layout->bar_height;
	glBindVertexArray(d->vertices);
	glClearColor(d->ground[0][0], d->ground[0][1], d->ground[0][2], 1.0f);
	glClear(GL_COLOR_BUFFER_BIT);
	glViewport(0, bar, width, above);
	draw_model(d, (float)width, (float)above);
	if (d->has_sheet) {
		glEnable(GL_BLEND);
		glBlendFunc(GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
		draw_texture_over(d, &d->sheet);
		glDisable(GL_BLEND);
	}
	if (!bar || !d->bar.width)
		return;
	glViewport(0, 0, width, bar);
	draw_texture_over(d, &d->bar);
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
