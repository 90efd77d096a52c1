# Writes OUTPUT, a C file with the bytes of the FILES of FOLDER. Byte arrays, because a compiler need only take string
# literals of 4,095 characters. Run by kernels/CMakeLists.txt at build time:
#   cmake -DFOLDER=kernels -DFILES=a.cl,b.h -DOUTPUT=embedded.c -P embed.cmake
string(REPLACE "," ";" FILES "${FILES}")
set(arrays "")
set(table "")
set(index 0)
foreach(file IN LISTS FILES)
	file(READ "${FOLDER}/${file}" hex HEX)
	string(LENGTH "${hex}" digits)
	if(digits EQUAL 0)
		message(FATAL_ERROR "${FOLDER}/${file}: empty")
	endif()
	math(EXPR size "${digits} / 2")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n\t" bytes "${bytes}")
	string(APPEND arrays "static const unsigned char file_${index}[${size}] = {\n\t${bytes}\n};\n\n")
	string(APPEND table "\t{\"${file}\", file_${index}, ${size}},\n")
	math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUTPUT}" "/* Made by kernels/embed/embed.cmake from the files named below. */
#include \"embedded.h\"

${arrays}const enm_embedded_file enm_embedded_files[] = {
${table}};

const size_t enm_embedded_count = ${index};
")
