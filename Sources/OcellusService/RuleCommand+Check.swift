// SPDX-License-Identifier: Apache-2.0
import CLibc

/// What can be known about a program before it is started.
extension RuleCommand {
    /// Why a program cannot be started; nil if it is there, executable, and of a format that the kernel
    /// knows by itself: ELF, or a script that begins with `#!` and an interpreter that is there.
    ///
    /// Looks where `posix_spawnp` does: a name without a slash is looked up in PATH. Of a file that may
    /// be run but not read, the format is not known.
    public static func reasonAgainstStarting(_ program: String) -> String? {
        var reason: String?
        for file in places(of: program) {
            guard let obstacle = reasonAgainst(file) else { return nil }
            reason = reason ?? obstacle
        }
        return reason ?? "PATH names no folder"
    }

    /// The processor that a program was built for, if it is none that this build runs on: then only an
    /// emulator could run it, which the kernel may have been told of (binfmt_misc); nil for scripts.
    ///
    /// - Source: elf(5), `e_machine`.
    public static func foreignProcessor(of program: String) -> String? {
        guard let file = places(of: program).first(where: { reasonAgainst($0) == nil }),
            let start = firstBytes(of: file), start.count >= 20, isELF(start)
        else { return nil }
        let isBigEndian = start[5] == 2
        let machine = Int(start[isBigEndian ? 19 : 18]) | Int(start[isBigEndian ? 18 : 19]) << 8
        return ownMachines.contains(machine) ? nil : name(ofMachine: machine)
    }

    #if arch(x86_64)
        private static let ownMachines = [62, 3]
    #else
        // A kernel of 64 bits runs programs of 32, and this may be one of them.
        private static let ownMachines = [183, 40]
    #endif

    private static func name(ofMachine machine: Int) -> String {
        switch machine {
        case 3: "i386"
        case 40: "arm"
        case 62: "x86_64"
        case 183: "aarch64"
        case 243: "riscv"
        default: "a processor of ELF's number \(machine)"
        }
    }

    /// The files that a program may be, in the order in which they are tried.
    private static func places(of program: String) -> [String] {
        guard !program.utf8.contains(UInt8(ascii: "/")) else { return [program] }
        // Safety: the value of a variable is a string, and is copied at once.
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/bin:/usr/bin"
        return path.split(separator: ":").map { $0 + "/" + program }
    }

    private static func isELF(_ start: ArraySlice<UInt8>) -> Bool {
        start.starts(with: [0x7F] + Array("ELF".utf8))
    }

    private static func reasonAgainst(_ file: String) -> String? {
        if let error = obstacle(to: file) { return text(of: error) }
        let start = firstBytes(of: file)
        guard let start, !isELF(start) else { return nil }
        let line = start.prefix { $0 != UInt8(ascii: "\n") }
        let words = line.dropFirst(2).split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard line.starts(with: Array("#!".utf8)), let word = words.first else {
            return text(of: ENOEXEC) + "; a script begins with #! and its interpreter"
        }
        let interpreter = String(decoding: word, as: UTF8.self)
        return obstacle(to: interpreter).map { "its interpreter \(interpreter): " + text(of: $0) }
    }

    /// The error that running a file would have, but for its format.
    private static func obstacle(to file: String) -> Int32? {
        var status = stat()
        // Safety: a string, and memory of our own.
        guard unsafe stat(file, &status) == 0, unsafe access(file, X_OK) == 0 else {
            return clibc_errno()
        }
        return clibc_is_file(status.st_mode) == 0 ? EACCES : nil
    }

    /// As many bytes as the kernel looks at; nil if the file cannot be read.
    private static func firstBytes(of file: String) -> ArraySlice<UInt8>? {
        let descriptor = unsafe clibc_open(file, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        // Safety: the array has so many bytes.
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : bytes[..<count]
    }

    private static func text(of error: Int32) -> String {
        // Safety: strerror returns a string, for unknown numbers too.
        unsafe String(cString: strerror(error))
    }
}
