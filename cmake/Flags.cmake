# One INTERFACE target carries the flags of our own code.
add_library(dagrun_flags INTERFACE)
target_compile_options(dagrun_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wformat=2 -Wvla -fno-common -fstack-protector-strong)
target_compile_definitions(dagrun_flags INTERFACE _GNU_SOURCE
    DAGRUN_VERSION="${PROJECT_VERSION}")
if(DAGRUN_WERROR)
    target_compile_options(dagrun_flags INTERFACE -Werror)
endif()
if(DAGRUN_SANITIZE)
    add_compile_options(-fsanitize=${DAGRUN_SANITIZE} -fno-omit-frame-pointer
                        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${DAGRUN_SANITIZE})
endif()
if(CMAKE_BUILD_TYPE STREQUAL Release)
    include(CheckIPOSupported)
    check_ipo_supported(RESULT has_ipo LANGUAGES C)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${has_ipo})
    add_compile_definitions(_FORTIFY_SOURCE=2)
    add_link_options(-Wl,-z,relro,-z,now)
endif()
