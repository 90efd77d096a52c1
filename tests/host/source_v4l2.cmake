# The V4L2 source on a camera of the test's own.
add_executable(host_source_v4l2 ${CMAKE_CURRENT_LIST_DIR}/test_source_v4l2.c ${CMAKE_CURRENT_LIST_DIR}/fake_v4l2.c)
target_link_libraries(host_source_v4l2 PRIVATE unit_scratch host_process enamel_build m)
add_test(NAME host_source_v4l2 COMMAND host_source_v4l2)
set_tests_properties(host_source_v4l2 PROPERTIES TIMEOUT 60)
