import CHDF5
import Synchronization

/// libhdf5 behind one lock: Debian's build is not safe for concurrent calls.
enum Library {
    private struct Opened {
        var isReady = false
    }

    private static let lock = Mutex(Opened())

    /// Runs calls of libhdf5, one thread at a time. The library's own error printing is off: errors are thrown instead.
    static func run<R: ~Copyable, E: Error>(_ body: () throws(E) -> sending R) throws(E) -> sending R {
        try lock.withLock { (opened) throws(E) -> sending R in
            if !opened.isReady {
                H5open()
                ZstdFilter.register()
                opened.isReady = true
            }
            // The error stack, and whether it is printed, belongs to the thread.
            H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
            return try body()
        }
    }
}

/// The version of libhdf5 in use, such as "1.10.8".
package func hdf5Version() -> String {
    var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
    Library.run { _ = H5get_libversion(&major, &minor, &release) }
    return "\(major).\(minor).\(release)"
}

/// Something of libhdf5 that lives within one call of ``Library/run(_:)``; closed when it goes out of scope.
struct Handle: ~Copyable {
    let id: hid_t
    private let closer: @convention(c) (hid_t) -> herr_t

    init(_ id: hid_t, _ closer: @convention(c) (hid_t) -> herr_t) {
        self.id = id
        self.closer = closer
    }

    var isValid: Bool { id >= 0 }

    deinit {
        if id >= 0 { _ = closer(id) }
    }
}

/// An open file, which outlives the calls that use it and takes the library's lock to close.
struct OpenFile: ~Copyable {
    let id: hid_t

    /// - Parameter id: what libhdf5 gave for the file; nil becomes of a negative one.
    init?(_ id: hid_t) {
        guard id >= 0 else { return nil }
        self.id = id
    }

    /// - Returns: whether all of the file was handed over.
    consuming func close() -> Bool {
        let id = id
        discard self
        return Library.run { H5Fclose(id) >= 0 }
    }

    deinit {
        let id = id
        Library.run { _ = H5Fclose(id) }
    }
}
