# Files that the compiler carries inside: see compiler/base/embedded.h.

# Makes a C file that defines embedded_<name>[] from the files that match `pattern`, in the order of their names.
function(nnc_embed source_variable name pattern)
  file(GLOB files CONFIGURE_DEPENDS "${pattern}")
  list(SORT files)
  set(script "${PROJECT_SOURCE_DIR}/cmake/embed.cmake")
  set(source "${PROJECT_BINARY_DIR}/generated/embedded_${name}.c")
  add_custom_command(OUTPUT "${source}"
    COMMAND "${CMAKE_COMMAND}" "-DNAME=${name}" "-DOUTPUT=${source}" "-DFILES=${files}" -P "${script}"
    DEPENDS ${files} "${script}"
    COMMENT "Embedding ${name}" VERBATIM)
  set(${source_variable} "${source}" PARENT_SCOPE)
endfunction()
