import CTorch
import Synchronization

import Glibc

/// The libraries of an installed PyTorch, through its stable C ABI: no header of it is needed to build, and no Python runs.
package enum TorchLibrary {
    /// What was opened.
    package struct Opened: Sendable, Hashable {
        /// The package's folder, `…/site-packages/torch`.
        package let folder: String
        /// As "2.15.0".
        package let version: String
        /// Whether this version was tried; newer ones keep the ABI for two years.
        package let isKnown: Bool
        /// Whether the wheel was built for CUDA.
        package let hasCUDA: Bool
        /// Whether CUDA may round the sides of float32's products (``Precision/tf32``): one answer for the process.
        package let hasTF32: Bool
    }

    /// What NVIDIA's libraries are told of TF32, by the names of environment variables; nil for one that must not be there.
    ///
    /// PyTorch reads the first when it first multiplies. The second has the last word in all libraries, whatever the switches
    /// of an op say.
    package static func tf32Environment(_ isAllowed: Bool) -> [(name: String, value: String?)] {
        [("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", isAllowed ? "1" : nil), ("NVIDIA_TF32_OVERRIDE", isAllowed ? nil : "0")]
    }

    private static let state = Mutex<Opened?>(nil)
    /// The newest that was tried.
    private static let newest = (2, 15)

    /// What is open; nil before `open`.
    package static var opened: Opened? { state.withLock { $0 } }

    /// Opens the wheel in a folder, once for the process.
    ///
    /// Its kernels for processors use as many threads as the engine's own loops, or what the environment says.
    ///
    /// - Parameters:
    ///   - folder: of the package torch, which has `lib/libtorch_cpu.so`.
    ///   - tf32: whether CUDA may round the sides of float32's products.
    /// - Throws: ``DeviceError`` for a folder without PyTorch, one before 2.10, and one that cannot be loaded; and where it was
    ///   opened with another answer to `tf32`.
    @discardableResult
    package static func open(folder: String, tf32: Bool = false) throws(DeviceError) -> Opened {
        if let opened, opened.folder == folder {
            guard opened.hasTF32 == tf32 else {
                throw DeviceError(
                    .library,
                    "\(folder): PyTorch is loaded \(tf32 ? "without" : "with") TF32 already: start a process for each")
            }
            return opened
        }
        let library = "\(folder)/lib/libtorch_cpu.so"
        guard access(library, R_OK) == 0 else {
            throw DeviceError(
                .library, "\(folder): holds no lib/libtorch_cpu.so; give --torch the folder of the Python package torch"
            )
        }
        // Read once, when the library's thread pool starts.
        for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS"] {
            setenv(name, "\(Parallel.threads)", Parallel.isChosen ? 1 : 0)
        }
        // What cuBLAS needs for the same bits in every run.
        setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0)
        for (name, value) in tf32Environment(tf32) {
            if let value { setenv(name, value, 1) } else { unsetenv(name) }
        }
        let cuda = "\(folder)/lib/libtorch_cuda.so"
        let hasCUDA = access(cuda, R_OK) == 0
        try check(library) { ct_open(library, hasCUDA ? cuda : nil, $0, $1) }
        let number = ct_version()
        let (major, minor, patch) = (Int(number >> 56), Int(number >> 48 & 0xFF), Int(number >> 40 & 0xFF))
        guard major == 2 else {
            throw DeviceError(
                .library,
                "\(folder): PyTorch \(major).\(minor) has another ABI than 2.x, which this version was written for; "
                    + "install torch 2.\(newest.1)")
        }
        let made = Opened(
            folder: folder, version: "\(major).\(minor).\(patch)", isKnown: (major, minor) <= newest,
            hasCUDA: hasCUDA, hasTF32: tf32)
        return try state.withLock { state throws(DeviceError) -> Opened in
            if let state, state.folder != folder {
                throw DeviceError(.library, "\(folder): PyTorch of \(state.folder) is loaded already")
            }
            state = made
            return made
        }
    }

    /// Makes a device ready, and checks that it computes.
    ///
    /// - Throws: ``DeviceError`` for a wheel without CUDA, and with what CUDA says of a driver or device that is not there.
    package static func prepare(_ device: TorchDevice) throws(DeviceError) {
        guard let opened else { throw DeviceError(.library, "\(device): PyTorch was not opened") }
        if device.kind == .cuda {
            guard opened.hasCUDA else {
                throw DeviceError(
                    .device,
                    "\(device): PyTorch \(opened.version) in \(opened.folder) was built for CPUs alone; install a wheel for "
                        + "CUDA (pytorch.org says which), or use --device torch-cpu")
            }
            let library = "\(opened.folder)/lib/libtorch_cuda.so"
            try check(library) { ct_open_cuda(library, $0, $1) }
        }
        let backend = TorchBackend.on(device)
        backend.forgetFailure()
        _ = (Tensor(filled: 1, shape: [1]).moved(to: .torch(device)) + 1).values
        if let failure = backend.failure {
            backend.forgetFailure()
            throw DeviceError(.device, "\(device): \(failure.description)")
        }
    }

    /// CUDA devices that compute, counted by trying them.
    package static func cudaDevices() throws(DeviceError) -> [TorchDevice] {
        try prepare(TorchDevice(.cuda))
        var devices = [TorchDevice(.cuda)]
        while devices.count < 64 {
            let next = TorchDevice(.cuda, index: devices.count)
            guard (try? prepare(next)) != nil else { break }
            devices.append(next)
        }
        return devices
    }

    private static func check(
        _ library: String, _ open: (UnsafeMutablePointer<CChar>?, Int) -> Int32
    ) throws(DeviceError) {
        var message = [CChar](repeating: 0, count: 2048)
        let status = message.withUnsafeMutableBufferPointer { open($0.baseAddress, $0.count) }
        guard status != Int32(CT_LOADED.rawValue) else { return }
        let text = message.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        guard status == Int32(CT_LACKS.rawValue) else {
            throw DeviceError(.library, "\(library): cannot be loaded: \(text)")
        }
        throw DeviceError(
            .library,
            "\(library): lacks \(text), so it is older than PyTorch 2.10, whose C ABI is the first that is stable; "
                + "install torch 2.10 or newer")
    }
}
