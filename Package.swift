// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target, tests included, is held to the same language rules.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// ATTUNE_TEST_TARGETS=DiskAccessTests,CorpusStoreTests builds these test targets alone, which saves minutes while one works on a module.
let chosenTests = Context.environment["ATTUNE_TEST_TARGETS"]?.split(separator: ",").map(String.init)

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let sqlite: [Target.Dependency] = [
    .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
]
let web: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"), .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "UnixSignals", package: "swift-service-lifecycle"),
]
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "attune",
    products: [
        .executable(name: "attune", targets: ["attune"]),
        // Apart, so that `swift build --product attune` builds no web server.
        .executable(name: "attune-gallery", targets: ["attune-gallery"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
    ],
    targets: [
        // System libraries and C loops.
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
        .systemLibrary(name: "CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        // Needs libcurl's headers (libcurl4-openssl-dev), which Swift itself asks for, and loads the library when it is used.
        .target(name: "CCurl", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "CSync", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "CHeap"),
        .target(name: "CImages", dependencies: ["CPNG", "CJPEG"]),
        .target(name: "CKernels", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "CBytePlanes"),
        // Loads Open MPI's library when ranks train together; needs none of its headers.
        .target(name: "CMPI", cSettings: [.define("_GNU_SOURCE")]),
        // Loads an installed PyTorch when a device of it is asked for; needs none of its headers.
        .target(name: "CTorch", cSettings: [.define("_GNU_SOURCE")]),

        // Imports run one way, top to bottom.
        .target(name: "Randomness", swiftSettings: strict),
        .target(name: "Hashing", dependencies: ["CLibcrypto"], swiftSettings: strict),
        .target(name: "Cluster", dependencies: ["CMPI"], swiftSettings: strict),
        .target(name: "DiskAccess", dependencies: ["CSync"], swiftSettings: strict),
        .target(name: "HDF5", dependencies: ["DiskAccess", "CHDF5", "CZstd", "CBytePlanes"], swiftSettings: strict),
        .target(name: "Images", swiftSettings: strict),
        .target(
            name: "Codecs", dependencies: ["Images", "CImages", "CPNG", "CWebP", "CZlib", "CZstd"],
            swiftSettings: strict),
        .target(name: "Tensors", dependencies: ["CKernels", "COpenBLAS", "CTorch"], swiftSettings: strict),
        .target(
            name: "Diffusion", dependencies: ["Hashing", "DiskAccess", "Images", "Codecs", "Tensors"],
            swiftSettings: strict),
        .target(
            name: "CorpusStore", dependencies: ["Hashing", "DiskAccess", "HDF5", "Images", "Codecs"] + sqlite,
            swiftSettings: strict),
        .target(
            name: "OCI", dependencies: ["Hashing", "DiskAccess", "CorpusStore", "CCurl", logging], swiftSettings: strict
        ),
        .target(
            name: "Tuning",
            dependencies: ["Cluster", "DiskAccess", "Tensors", "Diffusion", "CorpusStore", "Images", "Codecs"],
            swiftSettings: strict),
        .target(
            name: "Interchange",
            dependencies: ["DiskAccess", "Diffusion", "CorpusStore", "Images", "Codecs", "Tensors"],
            swiftSettings: strict),
        .target(name: "Shapes", dependencies: ["Randomness"], swiftSettings: strict),
        // HTML and SVG that escape what goes into them, and plots, for pages and reports.
        .target(name: "Markup", swiftSettings: strict),
        .target(name: "Plots", dependencies: ["Markup"], swiftSettings: strict),
        .target(name: "NearMisses", dependencies: ["Randomness"], swiftSettings: strict),
        .target(
            name: "Statistics", dependencies: ["Randomness", "DiskAccess", "Codecs", "Tensors"], swiftSettings: strict),
        .target(name: "Curation", dependencies: ["Images", "Codecs", "Tensors"], swiftSettings: strict),
        .target(
            name: "Workflows",
            dependencies: [
                "Cluster", "Markup", "Plots", "Tuning", "Interchange", "OCI", "Shapes", "NearMisses", "Statistics",
                "Curation", "Diffusion",
                "CorpusStore", "Codecs", "Images", "Tensors", "DiskAccess", "Randomness",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "attune",
            dependencies: [
                "Workflows", "Cluster", "Tuning", "Interchange", "OCI", "Statistics", "Curation", "Diffusion",
                "CorpusStore",
                "Tensors",
                arguments,
            ],
            swiftSettings: strict),

        // The gallery that `attune serve` starts, with all that is of the web.
        .target(
            name: "Gallery",
            dependencies: [
                "CHeap", "Markup", "Plots", "Workflows", "Curation", "DiskAccess", "CorpusStore", "Codecs", "Images",
                logging,
            ]
                + web,
            resources: [.embedInCode("Assets")],
            swiftSettings: strict),
        .executableTarget(name: "attune-gallery", dependencies: ["Gallery", arguments], swiftSettings: strict),

        // What Benchmarks/engine.sh times; not part of the product.
        .executableTarget(
            name: "attune-bench",
            dependencies: [
                "Workflows", "Curation", "Tuning", "Diffusion", "Tensors", "CorpusStore", "Codecs", "Images",
                "Randomness",
                arguments,
            ],
            swiftSettings: strict),

        // What test targets share.
        .target(
            name: "TestSupport", dependencies: ["Cluster", "CorpusStore", "Codecs", "Tensors"], path: "Tests/Support",
            swiftSettings: strict),

        .testTarget(name: "ClusterTests", dependencies: ["TestSupport", "Cluster"], swiftSettings: strict),
        .testTarget(name: "RandomnessTests", dependencies: ["Randomness"], swiftSettings: strict),
        .testTarget(name: "HashingTests", dependencies: ["Hashing"], swiftSettings: strict),
        .testTarget(name: "DiskAccessTests", dependencies: ["DiskAccess"], swiftSettings: strict),
        .testTarget(name: "HDF5Tests", dependencies: ["HDF5"], swiftSettings: strict),
        .testTarget(name: "CodecsTests", dependencies: ["Codecs", "Images"], swiftSettings: strict),
        .testTarget(
            name: "TensorsTests", dependencies: ["TestSupport", "Tensors", "Diffusion", "CKernels"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ShapesTests", dependencies: ["Shapes", "Randomness", "Codecs", "Images"], swiftSettings: strict),
        .testTarget(name: "NearMissesTests", dependencies: ["NearMisses", "Shapes"], swiftSettings: strict),
        .testTarget(
            name: "CurationTests", dependencies: ["Curation", "Codecs", "Images", "Tensors"], swiftSettings: strict),
        .testTarget(name: "StatisticsTests", dependencies: ["Statistics", "Codecs", "Tensors"], swiftSettings: strict),
        .testTarget(
            name: "DiffusionTests",
            dependencies: ["TestSupport", "Diffusion", "DiskAccess", "Codecs", "Images", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "CorpusStoreTests", dependencies: ["TestSupport", "CorpusStore", "DiskAccess", "HDF5", "Codecs"],
            swiftSettings: strict),
        .testTarget(
            name: "TuningTests",
            dependencies: ["TestSupport", "Cluster", "Tuning", "Diffusion", "CorpusStore", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "InterchangeTests",
            dependencies: ["TestSupport", "Interchange", "OCI", "CorpusStore", "Images", "Codecs"],
            swiftSettings: strict),
        .testTarget(
            name: "OCITests", dependencies: ["TestSupport", "OCI", "CorpusStore", "Codecs"], swiftSettings: strict),
        .testTarget(
            name: "GalleryTests",
            dependencies: ["Gallery", "Workflows", "Markup", "Plots", "CorpusStore", "Codecs", logging] + web,
            swiftSettings: strict),
        .testTarget(
            name: "WorkflowsTests",
            dependencies: [
                "TestSupport", "Workflows", "Plots", "Shapes", "Statistics", "Curation", "Tuning", "Interchange", "OCI",
                "CorpusStore", "DiskAccess", "Codecs", "Images",
                "Diffusion", "Tensors",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "attuneTests",
            dependencies: ["TestSupport", "attune", "Workflows", "CorpusStore", "Diffusion", "Tuning"],
            swiftSettings: strict),
    ],
    cLanguageStandard: .gnu11
)

if let chosenTests {
    package.targets.removeAll { $0.type == .test && !chosenTests.contains($0.name) }
    if !chosenTests.contains("GalleryTests") {
        // `swift build --build-tests` builds every executable: without these it builds no web server.
        package.targets.removeAll { ["Gallery", "attune-gallery", "attune-bench"].contains($0.name) }
        package.products.removeAll { $0.name == "attune-gallery" }
    }
}
