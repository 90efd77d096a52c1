# The socket source: its messages and parts, drivers in order, drivers that are not, and the example driver.
find_package(Threads REQUIRED)
add_library(host_socket_rig STATIC ${CMAKE_CURRENT_LIST_DIR}/socket_rig.c)
target_include_directories(host_socket_rig PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(host_socket_rig PUBLIC socket_source enamel_driver unit_scratch Threads::Threads PRIVATE enamel_build)

foreach(name socket_parts socket socket_client socket_hostile)
	add_executable(host_${name} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.c)
	target_link_libraries(host_${name} PRIVATE host_socket_rig enamel_build m)
	add_test(NAME host_${name} COMMAND host_${name})
	set_tests_properties(host_${name} PROPERTIES TIMEOUT 300 COST 700) # see kernel_gpu
endforeach()

add_executable(host_socket_driver ${CMAKE_CURRENT_LIST_DIR}/test_socket_driver.c)
target_compile_definitions(host_socket_driver PRIVATE DRIVER_PROGRAM="$<TARGET_FILE:enamel-driver-example>")
target_link_libraries(host_socket_driver PRIVATE host_socket_rig host_scan enamel_build m)
add_dependencies(host_socket_driver enamel-driver-example)
add_test(NAME host_socket_driver COMMAND host_socket_driver)
set_tests_properties(host_socket_driver PROPERTIES TIMEOUT 300)
