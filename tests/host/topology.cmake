# Displays and the choice of a device, on made-up machines.
add_executable(host_topology ${CMAKE_CURRENT_LIST_DIR}/test_topology.c)
target_link_libraries(host_topology PRIVATE unit_scratch host_process enamel_build)
add_test(NAME host_topology COMMAND host_topology)
set_tests_properties(host_topology PROPERTIES TIMEOUT 30)
