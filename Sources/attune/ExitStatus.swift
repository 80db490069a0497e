import ArgumentParser

/// What the command's exit status says.
enum ExitStatus: Int32 {
    case success = 0
    case failure = 1
    case damaged = 2
    case usage = 64
    case again = 75
    case interrupted = 130

    var code: ExitCode { ExitCode(rawValue) }

    static let documentation = """
        Exit status:
          0    done
          1    failed; one line on standard error says what, where and what to do
          2    verify found damage
          64   the command line is wrong
          75   stopped by SIGTERM, SIGUSR1 or --time-limit, or not complete; run the same command again
          130  interrupted; the same command resumes where it stopped
        """
}
