# What a refined replay keeps of itself, and is held against.
add_executable(host_certainty ${CMAKE_CURRENT_LIST_DIR}/test_certainty.c)
target_compile_definitions(host_certainty PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>")
target_link_libraries(host_certainty PRIVATE host_scan host_process enamel_build m)
add_dependencies(host_certainty enamel-process)
add_test(NAME host_certainty COMMAND host_certainty)
set_tests_properties(host_certainty PROPERTIES TIMEOUT 300 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")
