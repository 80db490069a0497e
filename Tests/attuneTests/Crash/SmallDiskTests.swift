import Foundation
import TestSupport
import Testing

/// A file system of its own that fills up, where the machine lets a test mount one.
@Suite struct SmallDiskTests {
    private static let script = #"""
        set -eu
        attune=$1 model=$2 prompts=$3 disk=$4
        mount -t tmpfs -o size=2m none "$disk"
        make() {
            "$attune" generate --corpus "$disk/c" --model "$model" --prompts "$prompts" --images-per-prompt 2 --steps 2 \
                --batch 1 "$@"
        }
        "$attune" init --corpus "$disk/c"
        make
        "$attune" select --corpus "$disk/c" best
        "$attune" verify --corpus "$disk/c"
        before=$(find "$disk/c/shards" -name '*.h5' | sort)
        for room in 0 4096 16384 65536; do
            free=$(df --output=avail -B1 "$disk" | tail -1)
            head -c "$((free - room))" /dev/zero > "$disk/ballast"
            for command in "make --seed 7$room" "$attune pack --corpus $disk/c" "$attune select --corpus $disk/c other"; do
                status=0
                $command > "$disk.out" 2>&1 || status=$?
                if [ "$status" -ne 0 ] && [ "$status" -ne 1 ]; then cat "$disk.out"; echo "status $status: $command"; exit 9; fi
                if [ "$status" -eq 1 ] && [ "$(grep -c '^attune: ' "$disk.out")" -ne 1 ]; then cat "$disk.out"; exit 9; fi
            done
            rm "$disk/ballast"
            "$attune" verify --corpus "$disk/c" || exit 9
            make --seed "7$room"
            [ -z "$(ls "$disk/c/tmp")" ] || { ls "$disk/c/tmp"; exit 9; }
        done
        "$attune" pack --corpus "$disk/c"
        "$attune" verify --corpus "$disk/c"
        """#

    private static var canMount: Bool {
        let probe = try? RunningCommand(
            URL(fileURLWithPath: "/usr/bin/unshare"), ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
        ).wait()
        return probe?.status == 0
    }

    @Test(.enabled(if: canMount, "no file system can be mounted here")) func aFullDiskLosesNothing() throws {
        let scratch = try Scratch()
        let prompts = try scratch.file("prompts.txt", "a red circle\na star and a cross\n")
        let disk = scratch.path("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let outcome = try RunningCommand(
            URL(fileURLWithPath: "/usr/bin/unshare"),
            ["-rm", "bash", "-c", Self.script, "bash", Attune.binary.path, Attune.model, prompts, disk]
        ).wait()
        #expect(outcome.status == 0, "\(outcome.status)\n\(outcome.output)\(outcome.errors)")
    }
}
