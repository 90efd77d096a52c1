# The plugin source, on an example, on one that misbehaves, and on a library that is no plugin.
add_library(plugin_waves MODULE ${CMAKE_CURRENT_LIST_DIR}/plugin_waves.c)
add_library(plugin_hostile MODULE ${CMAKE_CURRENT_LIST_DIR}/plugin_hostile.c)
add_library(plugin_none MODULE ${CMAKE_CURRENT_LIST_DIR}/plugin_hostile.c)
target_compile_definitions(plugin_none PRIVATE PLUGIN_WITHOUT_ENTRY)
foreach(name waves hostile none)
	target_include_directories(plugin_${name} PRIVATE ${CMAKE_SOURCE_DIR}/host/source/plugin)
	target_link_libraries(plugin_${name} PRIVATE enamel_build m)
	set_target_properties(plugin_${name} PROPERTIES C_VISIBILITY_PRESET hidden PREFIX "" OUTPUT_NAME ${name})
endforeach()

add_executable(host_source_plugin ${CMAKE_CURRENT_LIST_DIR}/test_source_plugin.c)
target_compile_definitions(host_source_plugin PRIVATE PLUGIN_WAVES="$<TARGET_FILE:plugin_waves>"
	PLUGIN_HOSTILE="$<TARGET_FILE:plugin_hostile>" PLUGIN_NONE="$<TARGET_FILE:plugin_none>")
target_link_libraries(host_source_plugin PRIVATE unit_scratch host_process enamel_build m)
add_dependencies(host_source_plugin plugin_waves plugin_hostile plugin_none)
add_test(NAME host_source_plugin COMMAND host_source_plugin)
set_tests_properties(host_source_plugin PROPERTIES TIMEOUT 60)
