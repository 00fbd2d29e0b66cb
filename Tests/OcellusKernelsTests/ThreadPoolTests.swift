// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import OcellusKernels

/// Where a team of threads runs.
@Suite struct ThreadPoolTests {
    @Test
    func `a pool stays on the cores that it was given`() async throws {
        let observed = await withCheckedContinuation { done in
            // In a thread of its own, which stays there, too.
            Thread {
                let all = Self.cores(of: "/proc/thread-self")
                let first = String(all.prefix { $0.isNumber })
                let core = Int(first) ?? -1
                let pool = ThreadPool(threadCount: 2, cores: [core, core])
                let threads =
                    (try? FileManager.default.contentsOfDirectory(atPath: Self.tasks)) ?? []
                let pinned = threads.filter { Self.cores(of: "\(Self.tasks)/\($0)") == first }
                withExtendedLifetime(pool.threadCount) {}
                done.resume(returning: (first, Self.cores(of: "/proc/thread-self"), pinned.count))
            }.start()
        }
        #expect(!observed.0.isEmpty && observed.1 == observed.0)
        #expect(observed.2 >= 2)
    }

    private static let tasks = "/proc/self/task"

    /// The kernel's list of the cores that a thread may run on, such as "0-3".
    private static func cores(of thread: String) -> String {
        let status = (try? String(contentsOfFile: thread + "/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
        return line?.split(separator: "\t").last.map(String.init) ?? ""
    }
}
