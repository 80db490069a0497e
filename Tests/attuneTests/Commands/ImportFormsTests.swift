import Foundation
import TestSupport
import Testing

private let interpreter = ProcessInfo.processInfo.environment["ATTUNE_PYTHON"].map { URL(fileURLWithPath: $0) }

/// Whether a name space of its own can be had, in which to mount something.
private let canMount =
    (try? RunningCommand(URL(fileURLWithPath: "/usr/bin/env"), ["unshare", "-m", "true"]).wait().status) == 0

/// Images as other programs write them, imported by the command and shown by Pillow.
@Suite struct ImportFormsTests {
    private let scratch: Scratch
    private let corpus: String

    init() throws {
        scratch = try Scratch()
        corpus = scratch.path("corpus")
        try Attune.succeed("init", "--corpus", corpus)
    }

    private func run(_ script: String, _ arguments: [String]) throws -> Outcome {
        let path = Attune.repository.appendingPathComponent("Tests/Interop/\(script)").path
        return try RunningCommand(try #require(interpreter), [path] + arguments).wait()
    }

    /// Runs a few lines of Python in the scratch folder.
    private func python(_ lines: String) throws -> String {
        let script = try scratch.file("script.py", lines)
        let outcome = try RunningCommand(try #require(interpreter), [script, scratch.url.path]).wait()
        try #require(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
    }

    private func importing(_ folder: String, _ format: String = "kohya", _ more: String...) throws -> Outcome {
        try Attune.start(["import", "--corpus", corpus, folder, "--format", format] + more).wait()
    }

    private func export() throws -> String {
        let to = scratch.path("export")
        try Attune.succeed("select", "--corpus", corpus, "all", "--all")
        try Attune.succeed("export", "--corpus", corpus, "all", "--format", "imagefolder", "--to", to)
        return to
    }

    /// All color types, depths, interlacing, transparency, orientations and ways to store them, in PNG, JPEG and WebP.
    @Test(.enabled(if: interpreter != nil, "ATTUNE_PYTHON names no Python with Pillow")) func imagesLookAsInPillow()
        throws
    {
        let folder = scratch.path("cases")
        let count = try #require(
            Int(run("image_cases.py", ["make", folder]).output.trimmingCharacters(in: .newlines)))
        #expect(count > 500)
        let outcome = try importing(folder)
        #expect(
            outcome.output == "\(count) samples imported, 0 already present\n", "\(outcome.output)\(outcome.errors)")
        let checked = try run("image_cases.py", ["check", folder, export()])
        #expect(checked.status == 0 && checked.output == "\(count)\n", "\(checked.errors)")
    }

    /// What is kept byte for byte must open in programs that are stricter than libpng.
    @Test(.enabled(if: interpreter != nil, "ATTUNE_PYTHON names no Python with Pillow"))
    func exportsOfDamagedFilesOpen()
        throws
    {
        _ = try python(
            """
            import os, sys, random, zlib
            sys.path.insert(0, "\(Attune.repository.path)/Tests/Interop")
            import numpy as np
            from image_cases import png, chunk
            folder = os.path.join(sys.argv[1], "damaged"); os.makedirs(folder)
            rgb = np.arange(13 * 9 * 3).reshape(9, 13, 3) % 251
            plain = png(rgb, 2, 8, before=[(b"tEXt", b"Comment\\0hello"), (b"pHYs", bytes(9)), (b"tIME", bytes(7))], after=[(b"tEXt", b"After\\0all")])
            odd = [plain[:-12], plain + b"x", plain[:-1] + b"x"]
            for kind, data in [(b"zTXt", b"k\\0\\0" + zlib.compress(bytes(3 << 20))), (b"zTXt", b"k\\0\\1xx"), (b"pHYs", b"1"), (b"sRGB", b""),
                               (b"iTXt", b"k\\0\\1\\0\\0\\0" + zlib.compress(bytes(3 << 20))), (b"tEXt", b""), (b"tIME", b"1"), (b"IEND", b"x")]:
                odd.append(png(rgb, 2, 8, before=[(kind, data)]))
                odd.append(png(rgb, 2, 8, after=[(kind, data)]))
            random.seed(1)
            for _ in range(150):
                data = bytearray(plain); data[random.randrange(33, len(data))] ^= 1 << random.randrange(8); odd.append(bytes(data))
            for index, data in enumerate(odd):
                open(f"{folder}/{index}.png", "wb").write(data); open(f"{folder}/{index}.txt", "w").write(f"no. {index}")
            """)
        let outcome = try importing(scratch.path("damaged"), "kohya", "--skip-unreadable")
        #expect(outcome.status == 0 && outcome.output.contains(" damaged ("), "\(outcome.output)\(outcome.errors)")
        let opened = try python(
            """
            import glob, sys
            from PIL import Image
            files = glob.glob("\(export())/train/*.png")
            for file in files: Image.open(file).load()
            print(len(files) > 20)
            """)
        #expect(opened == "True\n")
    }

    @Test func headersThatClaimTooMuchAreRefusedAtOnce() throws {
        // 60,000×60,000 pixels, a few hundred bytes each.
        let bombs = [
            ("png", "iVBORw0KGgoAAAANSUhEUgAA6mAAAOpgCAIAAAAPsOIVAAAACUlEQVR4nGMAAAABAAFe/335AAAAAElFTkSuQmCC"),
            (
                "jpg",
                "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAKBueIx4ZKCMgoy0qqC+8P//8Nzc8P//////////////////////////////////////////////////////////2wBDAaq0tPDS8P//////////////////////////////////////////////////////////////////////////////wAARCOpg6mADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AIgA/9k="
            ),
        ]
        for (ending, text) in bombs {
            let folder = scratch.path("bomb-\(ending)")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try #require(Data(base64Encoded: text)).write(to: URL(fileURLWithPath: "\(folder)/1_x.\(ending)"))
            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/1_x.txt"))
            let outcome = try importing(folder)
            #expect(outcome.status == 1 && outcome.failures.count == 1, "\(outcome.errors)")
            let skipping = try importing(folder, "kohya", "--skip-unreadable")
            #expect(
                skipping.status == 0 && skipping.output.contains("0 samples imported, 0 already present, 1 skipped"))
        }
    }

    @Test func theLimitCanBeMoved() throws {
        try importOne()
        let refused = try importing(scratch.path("set"), "kohya", "--max-pixels", "2")
        #expect(refused.status == 1 && refused.failures.first?.contains("--max-pixels") == true, "\(refused.errors)")
        let skipped = try importing(scratch.path("set"), "kohya", "--max-pixels", "2", "--skip-unreadable")
        #expect(skipped.output.hasSuffix("1 skipped: 1 of a size that is not taken (a.png)\n"), "\(skipped.output)")
        #expect(try importing(scratch.path("set"), "kohya", "--max-pixels", "3").output.contains("1 already present"))
    }

    @Test func optionsThatDoNotFitTheFormatAreRefused() throws {
        for (format, options) in [
            ("kohya", ["--text-column", "x"]), ("imagefolder", ["--caption-extension", ".txt"]),
            ("webdataset", ["--caption-extension", ".txt"]), ("shard", ["--text-column", "x"]),
            ("kohya", ["--fit", "keep", "--size", "8"]), ("kohya", ["--caption-extension", "a/b"]),
            ("kohya", ["--max-pixels", "0"]), ("shard", ["--fit", "crop"]),
        ] {
            let outcome = try Attune.start(["import", "--corpus", corpus, "x", "--format", format] + options).wait()
            #expect(outcome.status == 64, "\(format) \(options): \(outcome.errors)")
        }
    }

    @Test(.enabled(if: canMount, "unshare -m needs root")) func exportsToAMountPoint() throws {
        try importOne()
        let to = scratch.path("to")
        try FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
        let export = "'\(Attune.binary.path)' export --corpus '\(corpus)' all --format imagefolder --to '\(to)'"
        for mount in ["mount -t tmpfs none '\(to)'", "mount --bind '\(to)' '\(to)'"] {
            let outcome = try RunningCommand(
                URL(fileURLWithPath: "/usr/bin/env"),
                [
                    "unshare", "-m", "sh", "-c",
                    "\(mount) && mkdir '\(to)/lost+found' && \(export) && ls -A '\(to)' '\(to)/train'",
                ]
            ).wait()
            #expect(outcome.status == 0 && outcome.output.contains("metadata.jsonl"), "\(outcome.errors)")
            #expect(!outcome.output.contains("partial"), "\(outcome.output)")
        }
    }

    private func importOne() throws {
        let set = scratch.path("set")
        try FileManager.default.createDirectory(atPath: set, withIntermediateDirectories: true)
        let dot = "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABCAIAAACUgoPjAAAAEklEQVR4nGNgYGRiZmFlY+cAAACCACVeerrrAAAAAElFTkSuQmCC"
        try #require(Data(base64Encoded: dot)).write(to: URL(fileURLWithPath: set + "/a.png"))
        _ = try scratch.file("set/a.txt", "a")
        let imported = try importing(set)
        try #require(imported.output.hasPrefix("1 samples"), "\(imported.output)\(imported.errors)")
        try Attune.succeed("select", "--corpus", corpus, "all", "--all")
    }

    /// The destination is the current folder, which cannot be replaced under whoever stands in it.
    @Test func exportsIntoAFolderThatStays() throws {
        try importOne()
        let to = scratch.path("to")
        try FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
        func export(_ fault: String = "") throws -> Outcome {
            try RunningCommand(
                URL(fileURLWithPath: "/bin/sh"),
                [
                    "-c",
                    "cd '\(to)' && exec '\(Attune.binary.path)' export --corpus '\(corpus)' all --format imagefolder --to .",
                ], environment: fault.isEmpty ? [:] : ["ATTUNE_FAULT": fault]
            ).wait()
        }
        let identity = try FileManager.default.attributesOfItem(atPath: to)[.systemFileNumber] as? Int
        // Killed wherever it renames, it is finished by the same command.
        var (outcome, kills) = (try export("rename:1:kill"), 0)
        while outcome.wasKilled, kills < 9 {
            kills += 1
            #expect(try FileManager.default.contentsOfDirectory(atPath: to).contains(".to.partial"))
            outcome = try export("rename:\(kills + 1):kill")
        }
        #expect(outcome.status == 0 && kills > 1, "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: to) == ["train"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: to + "/train").count == 2)
        #expect(try FileManager.default.attributesOfItem(atPath: to)[.systemFileNumber] as? Int == identity)
        #expect(try export().status == 1, "it is not empty now")
    }
}
