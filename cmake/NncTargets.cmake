# How the project's own targets are compiled.

# The flags of every target: language, warnings, sanitizers. Relaxed warnings are for generated files alone (see
# nnc_relax_warnings).
function(nnc_set_flags target)
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
  target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L)
  # No contraction to fused multiply-add: the constants that the compiler folds must not depend on how it was compiled.
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -ffp-contract=off)
  if(NNC_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(NNC_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${NNC_SANITIZE_TEXT} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${NNC_SANITIZE_TEXT})
  endif()
endfunction()

# Flex and Bison write code that is theirs, not ours, to keep free of these warnings.
function(nnc_relax_warnings)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS
    "-Wno-conversion;-Wno-sign-conversion;-Wno-shadow;-Wno-unused-function;-Wno-unused-but-set-variable")
endfunction()

# The library nnc_<folder> from compiler/<folder>/*.c and ${NNC_GENERATED_<folder>} with ${NNC_DEFINITIONS_<folder>}, using
# the library `before`. A folder without sources becomes an interface library, so that the chain holds.
function(nnc_add_folder folder before)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/compiler/${folder}/*.c")
  list(FILTER sources EXCLUDE REGEX "/driver/main\\.c$")
  list(APPEND sources ${NNC_GENERATED_${folder}})
  set(target nnc_${folder})
  if(sources)
    add_library(${target} STATIC ${sources})
    nnc_set_flags(${target})
    target_compile_definitions(${target} PRIVATE ${NNC_DEFINITIONS_${folder}})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope}
    "${PROJECT_SOURCE_DIR}/compiler" "${PROJECT_BINARY_DIR}/generated")
  target_link_libraries(${target} ${scope} ${before} m)
endfunction()
