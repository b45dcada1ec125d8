# Libraries from the system where they are new enough, else from what ./setup has built.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

if(DEFINED ENV{DAGRUN_DEPS})
    set(DAGRUN_DEPS $ENV{DAGRUN_DEPS})
elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(DAGRUN_DEPS $ENV{XDG_CACHE_HOME}/dagrun/deps)
else()
    set(DAGRUN_DEPS $ENV{HOME}/.cache/dagrun/deps)
endif()
set(ENV{PKG_CONFIG_PATH} "${DAGRUN_DEPS}/lib/pkgconfig:$ENV{PKG_CONFIG_PATH}")

pkg_check_modules(RDKAFKA IMPORTED_TARGET rdkafka>=2.10)
pkg_check_modules(YYJSON IMPORTED_TARGET yyjson>=0.10)
if(NOT RDKAFKA_FOUND OR NOT YYJSON_FOUND)
    message(FATAL_ERROR "librdkafka >= 2.10 and yyjson >= 0.10 are needed: run ./setup")
endif()
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.37)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)
pkg_check_modules(CHECK REQUIRED IMPORTED_TARGET check)
# The embedded broker: CRC32C, the four codecs, patterns of topic names. uthash is a header.
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(SNAPPY REQUIRED IMPORTED_TARGET snappy)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)

# librdkafka's archive: processes start faster and an installed dagrun needs no rpath.
find_library(RDKAFKA_ARCHIVE NAMES librdkafka.a HINTS ${RDKAFKA_LIBRARY_DIRS}
             ${RDKAFKA_LIBDIR})
add_library(dagrun_rdkafka INTERFACE)
if(RDKAFKA_ARCHIVE)
    target_include_directories(dagrun_rdkafka SYSTEM INTERFACE ${RDKAFKA_INCLUDE_DIRS})
    list(REMOVE_ITEM RDKAFKA_STATIC_LIBRARIES rdkafka)
    target_link_libraries(dagrun_rdkafka INTERFACE ${RDKAFKA_ARCHIVE}
                          ${RDKAFKA_STATIC_LIBRARIES})
else()
    target_link_libraries(dagrun_rdkafka INTERFACE PkgConfig::RDKAFKA)
endif()
