# DRM enumeration on mocked hardware. glib's headers are not held to this project's warnings.
find_package(PkgConfig REQUIRED)
pkg_check_modules(UMOCKDEV REQUIRED IMPORTED_TARGET umockdev-1.0)
pkg_check_modules(LIBDRM REQUIRED IMPORTED_TARGET libdrm)
find_program(UMOCKDEV_WRAPPER umockdev-wrapper REQUIRED)

add_executable(host_drm ${CMAKE_CURRENT_LIST_DIR}/test_drm.c)
target_include_directories(host_drm SYSTEM PRIVATE ${UMOCKDEV_INCLUDE_DIRS})
target_compile_definitions(host_drm PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>")
add_dependencies(host_drm enamel-process)
target_link_libraries(host_drm PRIVATE enamel_build host_scan host_process PkgConfig::UMOCKDEV PkgConfig::LIBDRM)
add_test(NAME host_drm COMMAND ${UMOCKDEV_WRAPPER} $<TARGET_FILE:host_drm>)
# The wrapper's preloaded library comes before the sanitizer's.
set_tests_properties(host_drm PROPERTIES TIMEOUT 30 ENVIRONMENT "ASAN_OPTIONS=verify_asan_link_order=0")
