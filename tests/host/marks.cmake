# Marks beside a model, and `enamel view --list`: neither needs a display.
add_executable(host_marks ${CMAKE_CURRENT_LIST_DIR}/test_marks.c)
target_compile_definitions(host_marks PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>")
target_link_libraries(host_marks PRIVATE host_process host_scan enamel_build m)
add_dependencies(host_marks enamel-process)
add_test(NAME host_marks COMMAND host_marks)
set_tests_properties(host_marks PROPERTIES TIMEOUT 60 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")
