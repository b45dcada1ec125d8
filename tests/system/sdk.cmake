# The SDK's system tests: a client under a runner that the test plays itself
# (support/runner_stub.py), on both brokers.
find_program(PYTHON3 python3 REQUIRED)
add_executable(sdk_helper sdk_helper.c)
target_link_libraries(sdk_helper PRIVATE dagrun_flags dagnode)
file(GLOB sdk_cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sdk_*_test.py)
foreach(case ${sdk_cases})
    get_filename_component(name ${case} NAME_WE)
    add_broker_test(system/${name} ${CMAKE_COMMAND} -E env
        PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/../support
        KAFKA_TOOL=$<TARGET_FILE:kafka_tool> COPY=$<TARGET_FILE:node_copy>
        HELPER=$<TARGET_FILE:sdk_helper> PROBE=$<TARGET_FILE:probe> ${PYTHON3} -B -m unittest -v ${name})
    set_tests_properties(system/${name} system/${name}-ledger PROPERTIES
        WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} TIMEOUT 600)
endforeach()
add_test(NAME system/mock_sdk COMMAND ${CMAKE_COMMAND} -E env
    PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/../support MOCK_BROKER=$<TARGET_FILE:mock_broker>
    KAFKA_TOOL=$<TARGET_FILE:kafka_tool> HELPER=$<TARGET_FILE:sdk_helper>
    ${PYTHON3} -B -m unittest -v mock_sdk_test)
set_tests_properties(system/mock_sdk PROPERTIES
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} TIMEOUT 120)
add_test(NAME system/sdk_symbols COMMAND
    ${CMAKE_CURRENT_SOURCE_DIR}/sdk_symbols_test.sh $<TARGET_FILE:dagnode>
    ${CMAKE_SOURCE_DIR}/nodes/sdk/dagnode.h)
add_test(NAME system/sdk_pipe COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sdk_pipe_test.sh
    $<TARGET_FILE:node_copy> $<TARGET_FILE:sdk_helper>)
