# cmake -DNAME=prelude -DOUTPUT=x.c -DFILES="a.nn;b.nn" -P embed.cmake
# Writes the files as C byte arrays (string literals would meet the limits of C11 on their length).
set(arrays "")
set(rows "")
set(count 0)
foreach(file IN LISTS FILES)
  get_filename_component(base "${file}" NAME)
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n"
    bytes "${bytes}")
  string(APPEND arrays "static const unsigned char file_${count}[] = {\n${bytes}0};\n")
  string(APPEND rows
    "    {\"${base}\", (const char *)file_${count}, sizeof file_${count} - 1},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE "${OUTPUT}" "#include \"base/embedded.h\"\n\n${arrays}\n"
  "const EmbeddedFile embedded_${NAME}[] = {\n${rows}    {0, 0, 0},\n};\n"
  "const size_t embedded_${NAME}_count = ${count};\n")
