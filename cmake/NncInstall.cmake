# What `cmake --install` puts where, and the package that other projects find with find_package(nnc).
include(CMakePackageConfigHelpers)

set(NNC_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/nnc")

install(TARGETS nnc EXPORT nncTargets RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS nnrt EXPORT nncTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES runtime/include/nnrt.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${PROJECT_BINARY_DIR}/nnc.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(EXPORT nncTargets NAMESPACE nnc:: DESTINATION "${NNC_PACKAGE_DIR}")

configure_package_config_file(cmake/nncConfig.cmake.in "${PROJECT_BINARY_DIR}/nncConfig.cmake"
  INSTALL_DESTINATION "${NNC_PACKAGE_DIR}")
# Any architecture: nnc runs on this machine, whatever the project is compiled for.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/nncConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  "${PROJECT_BINARY_DIR}/nncConfig.cmake" "${PROJECT_BINARY_DIR}/nncConfigVersion.cmake"
  cmake/NncAddModel.cmake
  DESTINATION "${NNC_PACKAGE_DIR}")
