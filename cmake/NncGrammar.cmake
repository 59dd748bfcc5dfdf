# The lexer and the parser, made in the build folder: generated/syntax/nn_lexer.[ch], generated/syntax/nn_parser.[ch]; the
# compiler includes them as "syntax/nn_lexer.h" and "syntax/nn_parser.h".
find_package(FLEX 2.6 REQUIRED)
find_package(BISON 3.8 REQUIRED)

function(nnc_grammar sources_variable lexer parser)
  if(NOT EXISTS "${lexer}" OR NOT EXISTS "${parser}")
    set(${sources_variable} "" PARENT_SCOPE)
    return()
  endif()
  set(folder "${PROJECT_BINARY_DIR}/generated/syntax")
  file(MAKE_DIRECTORY "${folder}")
  bison_target(nn_parser "${parser}" "${folder}/nn_parser.c"
    DEFINES_FILE "${folder}/nn_parser.h" COMPILE_FLAGS "-Wall -Wcounterexamples -Werror")
  flex_target(nn_lexer "${lexer}" "${folder}/nn_lexer.c" DEFINES_FILE "${folder}/nn_lexer.h")
  add_flex_bison_dependency(nn_lexer nn_parser)
  nnc_relax_warnings("${folder}/nn_parser.c" "${folder}/nn_lexer.c")
  set(${sources_variable}
    "${folder}/nn_parser.c" "${folder}/nn_lexer.c" "${folder}/nn_parser.h" "${folder}/nn_lexer.h"
    PARENT_SCOPE)
endfunction()
