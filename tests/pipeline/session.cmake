# Sessions: pipeline_session and pipeline_session_arguments see the public header only; pipeline_session_faults makes
# OpenCL calls fail, pipeline_session_grow has memory refused,
# pipeline_session_ways submits the same frames in other ways; they therefore link the insides.
set(FOLDER ${CMAKE_CURRENT_LIST_DIR})

function(session_test name library timeout_s)
	add_executable(test_${name} ${FOLDER}/test_${name}.c ${FOLDER}/scan.c)
	target_link_libraries(test_${name} PRIVATE ${library} test_reference PkgConfig::CMOCKA Threads::Threads m enamel_build)
	target_compile_definitions(test_${name} PRIVATE CL_TARGET_OPENCL_VERSION=300)
	add_test(NAME pipeline_${name} COMMAND test_${name})
	set_tests_properties(pipeline_${name} PROPERTIES TIMEOUT ${timeout_s} ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")
endfunction()

find_package(Threads REQUIRED)
session_test(session Enamel::enamel 180)
session_test(session_arguments Enamel::enamel 180)
session_test(session_certainty Enamel::enamel 300)
session_test(session_color Enamel::enamel 180)
session_test(session_draw Enamel::enamel 180)
session_test(session_events Enamel::enamel 180)
session_test(session_faults enamel_internal 300)
session_test(session_false_places Enamel::enamel 900)
set_tests_properties(pipeline_session_false_places PROPERTIES LABELS slow) # a thousand searches
session_test(session_grow enamel_internal 120)
session_test(session_halves Enamel::enamel 180)
session_test(session_island Enamel::enamel 300)
session_test(session_live Enamel::enamel 180)
session_test(session_loops Enamel::enamel 300)
session_test(session_foreign Enamel::enamel 180)
session_test(session_fuzz Enamel::enamel 300)
session_test(session_lanes Enamel::enamel 900)
set_tests_properties(pipeline_session_lanes PROPERTIES LABELS slow) # builds all kernels three times
session_test(session_motion Enamel::enamel 180)
session_test(session_recover enamel_internal 300)
session_test(session_refine Enamel::enamel 300)
session_test(session_rows Enamel::enamel 180)
session_test(session_ways enamel_internal 300)
# counts what the engine itself asks of the host's memory
target_link_options(test_session_ways PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
add_test(NAME pipeline_session_ways_tuned COMMAND test_session_ways)
set_tests_properties(pipeline_session_ways_tuned PROPERTIES TIMEOUT 600 LABELS slow ENVIRONMENT
	"${ENAMEL_TEST_ENVIRONMENT};ENAMEL_TEST_SLOW=1;ENAMEL_TEST_FILTER=tuning_finds_settings")
add_test(NAME pipeline_session_faults_all COMMAND test_session_faults)
set_tests_properties(pipeline_session_faults_all PROPERTIES TIMEOUT 1200 LABELS slow ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT};ENAMEL_TEST_SLOW=1")

# The same engine without foreign bodies, so that both ways are built and tested.
if(ENAMEL_FOREIGN)
	find_package(OpenCL REQUIRED)
	get_target_property(SOURCES enamel_internal SOURCES)
	list(FILTER SOURCES EXCLUDE REGEX "/pipeline/foreign\\.c$")
	add_library(enamel_without_foreign STATIC EXCLUDE_FROM_ALL ${SOURCES})
	target_include_directories(enamel_without_foreign PUBLIC ${CMAKE_SOURCE_DIR}/engine/include
		PRIVATE ${CMAKE_SOURCE_DIR}/engine ${CMAKE_SOURCE_DIR}/kernels)
	target_compile_definitions(enamel_without_foreign PUBLIC ENM_STATIC ENM_FOREIGN=0 PRIVATE CL_TARGET_OPENCL_VERSION=300)
	target_link_libraries(enamel_without_foreign PRIVATE enamel_build enamel_kernels OpenCL::OpenCL Threads::Threads m)
	add_executable(test_session_foreign_off ${FOLDER}/test_session_foreign.c ${FOLDER}/scan.c)
	target_link_libraries(test_session_foreign_off PRIVATE enamel_without_foreign test_reference PkgConfig::CMOCKA
		Threads::Threads m enamel_build)
	add_test(NAME pipeline_session_foreign_off COMMAND test_session_foreign_off)
	set_tests_properties(pipeline_session_foreign_off PROPERTIES TIMEOUT 300 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")
endif()
