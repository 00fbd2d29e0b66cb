// SPDX-License-Identifier: Apache-2.0
import CLibc
import Glibc
import OcellusService

// A program that seals itself and then tries everything that it should not be able to do, and what it
// should. scripts/test-seal runs it.
//
//   usage: seal-check FOLDER [exhaust]
//
// FOLDER has a file `readable` and folders `state` and `other`.

/// What was wrong.
nonisolated(unsafe) var failures = 0

func check(_ what: String, _ isRight: Bool) {
    print("\(isRight ? "ok    " : "FAILED") \(what)")
    if !isRight { failures += 1 }
}

/// Whether a call failed with an error number.
func failed(_ result: Int, _ numbers: Int32...) -> Bool {
    result == -1 && numbers.contains(errno)
}

func start(
    _ words: [String],
    input: String = "",
    output: Int32
) -> (error: Int32, child: pid_t) {
    var copies: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    var child: pid_t = 0
    let error = clibc_child_start(input, &copies, clibc_environment(), output, 2, &child)
    return (error, child)
}

func declare(_ words: [String], input: String = "") {
    var copies: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    check("a program is declared", clibc_child_declare(input, &copies) == 0)
}

/// Whether the heap has so many bytes; not inlined, as a compiler may believe that it always has.
@inline(never)
func canAllocate(_ byteCount: Int) -> Bool {
    let block = malloc(byteCount)
    defer { free(block) }
    return opaque(block) != nil
}

@inline(never) @_optimize(none)
func opaque(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? { pointer }

/// Starts a thread and waits for it.
func runThread() -> Int32 {
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 256 << 10)
    let error = pthread_create(&thread, &attributes, { _ in nil }, nil)
    if error == 0 { pthread_join(thread, nil) }
    return error
}

func openFile(_ path: String, _ flags: Int32) -> Int {
    let descriptor = clibc_open(path, flags, 0o600)
    if descriptor >= 0 { close(descriptor) }
    return Int(descriptor)
}

func seal(_ folder: String) throws(SealError) -> Seal {
    var declaration = SealDeclaration()
    declaration.readable = [folder + "/readable"]
    declaration.writable = [folder + "/state"]
    declaration.programs = true
    return try Seal(declaration)
}

/// RLIMIT_DATA, which Swift imports as an enumeration in one module and as a number in another.
let dataLimit = __rlimit_resource_t(RLIMIT_DATA.rawValue)

func checkMemory() {
    check("512 KiB of the reserve are there", canAllocate(512 << 10))
    check("64 MiB of heap are not", !canAllocate(64 << 20))
    let access = PROT_READ | PROT_WRITE
    let anonymous = MAP_PRIVATE | MAP_ANONYMOUS
    check(
        "64 MiB of pages are not",
        mmap(nil, 64 << 20, access, anonymous, -1, 0) == clibc_map_failed() && errno == ENOMEM
    )
    check(
        "64 MiB of shared pages are not",
        mmap(nil, 64 << 20, access, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == clibc_map_failed()
            && errno == ENOMEM
    )
    var limit = rlimit()
    check("limits can be read", getrlimit(dataLimit, &limit) == 0)
    limit.rlim_cur += 1 << 20
    limit.rlim_max += 1 << 20
    check("and not raised", failed(Int(setrlimit(dataLimit, &limit)), EPERM))
    check("a thread can be started again", runThread() == 0)
}

func checkFiles(_ folder: String) {
    check("the declared file can be read", openFile(folder + "/readable", O_RDONLY) >= 0)
    let saved = folder + "/state/saved"
    check("a state can be written", openFile(saved + ".partial", O_WRONLY | O_CREAT) >= 0)
    check("and renamed", rename(saved + ".partial", saved) == 0)
    check("and read", openFile(saved, O_RDONLY) >= 0)
    check("and removed", unlink(saved) == 0)
    guard clibc_landlock_version() > 0 else { return print("no Landlock: the rest is left out") }
    check("not so /etc/passwd", failed(openFile("/etc/passwd", O_RDONLY), EACCES))
    check("nor a folder", opendir("/etc") == nil && errno == EACCES)
    check(
        "nor a file in another folder",
        failed(openFile(folder + "/other/x", O_WRONLY | O_CREAT), EACCES)
    )
    check(
        "the declared file cannot be written",
        failed(openFile(folder + "/readable", O_WRONLY), EACCES)
    )
}

func checkPrograms() {
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/true"), nil]
    defer { free(arguments[0]) }
    check(
        "no program replaces this one",
        failed(Int(execv("/bin/true", &arguments)), EPERM, EACCES)
    )
    var child: pid_t = 0
    check(
        "none is started",
        posix_spawn(&child, "/bin/true", nil, nil, &arguments, clibc_environment()) != 0
    )
    check("no other process gets a signal", failed(Int(kill(getppid(), 0)), EPERM))
    var ends: [Int32] = [-1, -1]
    _ = clibc_pipe(&ends)
    let declared = start(["/bin/echo", "declared"], output: ends[1])
    close(ends[1])
    check("a declared one is, by the helper", declared.error == 0)
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(ends[0], &bytes, bytes.count)
    check("and heard", String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "declared\n")
    var status: Int32 = -1
    check("and reaped", clibc_child_wait(declared.child, &status, 0) == declared.child)
    check("with its status", clibc_exited(status) != 0 && clibc_exit_status(status) == 0)
    check("another is not", start(["/bin/echo", "undeclared"], output: 2).error == EPERM)
    let other = start(["/bin/grep", "-q", "declared"], input: "undeclared", output: 2)
    check("nor one with another input", other.error == EPERM)
    let same = start(["/bin/grep", "-q", "declared"], input: "declared", output: 2)
    check("but with its own", same.error == 0)
    check(
        "which it reads",
        clibc_child_wait(same.child, &status, 0) == same.child && status == 0
    )
    check("and a stranger is not ended", clibc_child_signal(getppid(), 0) == -1)
}

func checkCode() {
    check(
        "no new code",
        mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            == clibc_map_failed() && errno == EPERM
    )
    check("no socket", failed(Int(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)), EPERM))
}

guard CommandLine.arguments.count > 1 else { exit(64) }
let folder = CommandLine.arguments[1]
do throws(SealError) {
    check("a thread can be started", runThread() == 0)
    var seal = try seal(folder)
    declare(["/bin/echo", "declared"])
    declare(["/bin/grep", "-q", "declared"], input: "declared")
    try seal.close(reserve: 1 << 20)
    print(seal.description)
} catch {
    print(error.description)
    exit(1)
}
if CommandLine.arguments.count > 2 {
    var hoard: [[UInt8]] = []
    while true { hoard.append([UInt8](repeating: 1, count: 1 << 20)) }
}
checkMemory()
checkFiles(folder)
checkPrograms()
checkCode()
exit(failures == 0 ? 0 : 1)
