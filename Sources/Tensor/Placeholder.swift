import COpenBLAS
package func blasCore() -> String { String(cString: openblas_get_corename()) }
