# Pictures against references: those of `enamel render`, which need no display.
add_library(host_likeness STATIC ${CMAKE_CURRENT_LIST_DIR}/likeness.c ${CMAKE_CURRENT_LIST_DIR}/jaw.c)
target_compile_definitions(host_likeness PUBLIC REFERENCE_FOLDER="${CMAKE_CURRENT_LIST_DIR}/references")
target_link_libraries(host_likeness PUBLIC host_scan enamel PRIVATE enamel_build m)

add_executable(host_pictures ${CMAKE_CURRENT_LIST_DIR}/test_pictures.c)
target_compile_definitions(host_pictures PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>")
target_link_libraries(host_pictures PRIVATE host_likeness enamel_build m)
add_dependencies(host_pictures enamel-process enamel-evaluate)
add_test(NAME host_pictures COMMAND host_pictures)
set_tests_properties(host_pictures PROPERTIES TIMEOUT 600 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")
