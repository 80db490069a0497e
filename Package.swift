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

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let package = Package(
    name: "attune",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        // System libraries and C loops.
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(name: "CKernels", cSettings: [.define("_GNU_SOURCE")]),

        // Imports run one way, top to bottom.
        .target(name: "HDF5", dependencies: ["CHDF5", "CZstd"], swiftSettings: strict),
        .target(name: "Codecs", dependencies: ["CPNG", "CZstd"], swiftSettings: strict),
        .target(name: "Tensor", dependencies: ["CKernels", "COpenBLAS"], swiftSettings: strict),
        .target(name: "Diffusion", dependencies: ["Tensor", "CKernels", crypto], swiftSettings: strict),
        .testTarget(name: "DiffusionTests", dependencies: ["Diffusion", "Tensor"], swiftSettings: strict),
    ],
    cLanguageStandard: .gnu11
)
