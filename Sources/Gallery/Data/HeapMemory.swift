import CHeap

/// The memory that freed objects leave behind. The gallery runs for days beside work that needs it more.
enum HeapMemory {
    /// Keeps threads from holding an area each; to be called before they start.
    static func bound() { ch_limit_arenas(2) }

    /// Gives what was freed back to the system.
    static func giveBack() { ch_trim() }
}
