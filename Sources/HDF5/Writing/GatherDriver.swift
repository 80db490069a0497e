import CHDF5

/// A file driver of libhdf5 that writes nowhere: what the library hands it goes to a ``GatheredFile``, large data by
/// reference. With the library's own in-memory driver every byte is copied three times before it reaches the disk.
///
/// The callbacks follow H5FDpublic.h, "Class information for each file driver".
enum GatherDriver {
    private static let name: StaticString = "attune-gather"

    /// What libhdf5 takes for an open file: its own fields first, as it demands.
    private struct Open {
        var common: H5FD_t
        var file: Unmanaged<GatheredFile>
    }

    /// Makes a file access list use the driver.
    ///
    /// - Parameter file: must live until the file that is opened with the list has been closed.
    static func use(for file: GatheredFile, in access: borrowing Handle) -> Bool {
        var kind = H5FD_class_t()
        ck_h5_driver_class(&kind)
        kind.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        kind.maxaddr = haddr_t(Int64.max)
        kind.fc_degree = H5F_CLOSE_STRONG
        kind.fapl_size = MemoryLayout<UnsafeRawPointer>.size
        kind.open = { _, _, access, _ in GatherDriver.open(access) }
        kind.close = { file in
            UnsafeMutableRawPointer(file)?.deallocate()
            return 0
        }
        kind.query = { _, features in
            // Small pieces share blocks; nothing is buffered, so that data come with the addresses their owners gave.
            features?.pointee = UInt(H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_AGGREGATE_SMALLDATA)
            return 0
        }
        kind.get_eoa = { file, _ in haddr_t(GatherDriver.file(file)?.allocated ?? 0) }
        kind.set_eoa = { file, _, address in
            GatherDriver.file(file)?.allocated = Int(address)
            return 0
        }
        kind.get_eof = { file, _ in haddr_t(GatherDriver.file(file)?.written ?? 0) }
        kind.read = { file, _, _, address, count, buffer in
            guard let file = GatherDriver.file(file), let address = Int(exactly: address) else { return -1 }
            file.read(UnsafeMutableRawBufferPointer(start: buffer, count: count), at: address)
            return 0
        }
        kind.write = { file, _, _, address, count, buffer in
            guard let file = GatherDriver.file(file), let address = Int(exactly: address) else { return -1 }
            file.write(UnsafeRawBufferPointer(start: buffer, count: count), at: address)
            return 0
        }
        let driver = Handle(H5FDregister(&kind), H5FDunregister)
        var reference = Unmanaged.passUnretained(file).toOpaque()
        return driver.isValid && H5Pset_driver(access.id, driver.id, &reference) >= 0
    }

    private static func open(_ access: hid_t) -> UnsafeMutablePointer<H5FD_t>? {
        guard let reference = H5Pget_driver_info(access)?.load(as: UnsafeMutableRawPointer.self) else { return nil }
        let opened = UnsafeMutablePointer<Open>.allocate(capacity: 1)
        opened.initialize(to: Open(common: H5FD_t(), file: Unmanaged.fromOpaque(reference)))
        return UnsafeMutableRawPointer(opened).assumingMemoryBound(to: H5FD_t.self)
    }

    private static func file(_ file: UnsafePointer<H5FD_t>?) -> GatheredFile? {
        UnsafeRawPointer(file)?.load(as: Open.self).file.takeUnretainedValue()
    }
}
