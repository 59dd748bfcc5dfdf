# nnc_add_model(<target> <model.nn> [OPTIONS <option>...])
#
# Compiles a model with nnc and adds the C file to <target>, which can then include "<model>.h". The C file is made again
# when the model, a file that it reads, or nnc itself changes. The options are those of nnc, as in
#
#     add_executable(digits main.c)
#     nnc_add_model(digits lenet.nn OPTIONS -D batch=32 --no-train)
#
# With --main among the options, the target is linked with the run-time library nnc::nnrt. With several processors, as in --target=generic,avx2,avx512,
# their C files are added too: no flags are needed for them.

# The processors of --target=A,B,... among the options; none where it names one alone.
function(nnc_list_processors variable)
  set(options "${ARGN}")
  set(processors "")
  if(options MATCHES "(^|;)--?target[=;]([a-z0-9,]+)")
    string(REPLACE "," ";" processors "${CMAKE_MATCH_2}")
  endif()
  list(LENGTH processors count)
  if(count LESS 2)
    set(processors "")
  endif()
  list(REMOVE_DUPLICATES processors)
  set(${variable} "${processors}" PARENT_SCOPE)
endfunction()

function(nnc_add_model target model)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "OPTIONS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nnc_add_model: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT "C" IN_LIST languages)
    # Without a compiler for it, CMake would leave the C file out and say nothing.
    list(REMOVE_ITEM languages NONE)
    list(JOIN languages " " others)
    message(FATAL_ERROR "nnc_add_model: a model is compiled to C, which is no language of this project: write `project(${PROJECT_NAME} LANGUAGES C ${others})`")
  endif()
  get_filename_component(source "${model}" ABSOLUTE)
  get_filename_component(stem "${model}" NAME_WLE)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/nnc_${target}")
  set(output "${folder}/${stem}.c")
  set(outputs "${output}" "${folder}/${stem}.h")
  nnc_list_processors(processors ${arg_OPTIONS})
  foreach(processor IN LISTS processors)
    list(APPEND outputs "${folder}/${stem}_${processor}.c")
  endforeach()
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(OUTPUT ${outputs}
    COMMAND nnc::nnc "${source}" -o "${output}" -MD -MF "${output}.d" ${arg_OPTIONS}
    DEPENDS "${source}" nnc::nnc
    DEPFILE "${output}.d"
    COMMENT "Compiling ${stem}.nn" VERBATIM)
  target_sources(${target} PRIVATE ${outputs})
  target_include_directories(${target} PRIVATE "${folder}")
  target_link_libraries(${target} PRIVATE m)
  if("--main" IN_LIST arg_OPTIONS)
    if(CMAKE_CROSSCOMPILING)
      message(FATAL_ERROR "nnc_add_model: a program of --main wants the run-time library, which is there for the machine that nnc runs on, not for the one that this project is compiled for: leave --main out")
    endif()
    target_link_libraries(${target} PRIVATE nnc::nnrt)
  endif()
endfunction()
