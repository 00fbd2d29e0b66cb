// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
package import OcellusImage
import OcellusKernels
package import OcellusMemory
import OcellusModels

/// A vision file without a decoder, to look at what it makes of a picture.
///
/// It allocates, and is not for the run of a device.
package struct VisionTracer: ~Copyable {
    private let file: ModelFile
    private let vision: Vision
    private let arena: Arena
    private let pool: ThreadPool

    /// Opens a vision file, for frames up to `options.maximumFrame`.
    ///
    /// - Throws: as `Model`, and `OcellusError.memory` if the system has no such block.
    package init(path: String, options: SessionOptions) throws(OcellusError) {
        let file = try fromFile { () throws(ModelFileError) in try ModelFile(path: path) }
        var planner = MemoryPlanner()
        let vision = try Vision(file: file, options: options, planner: &planner)
        let arena: Arena
        do {
            arena = try Arena(plan: try planner.plan())
        } catch {
            throw .memory(error)
        }
        vision.prepare(in: arena)
        self.file = file
        self.vision = vision
        self.arena = arena
        pool = ThreadPool(threadCount: options.threadCount)
    }

    /// Where a frame source may put the picture.
    package var frameSlot: Bytes { arena[vision.frameSlot] }

    /// Turns a frame into image tokens, as the first of a session, and copies each stage.
    ///
    /// - Throws: `OcellusError.image` for a frame that is larger than planned.
    package func trace(_ frame: Frame) throws(OcellusError) -> VisionTrace {
        do {
            try vision.preprocessor.validate(frame.size, crop: nil)
        } catch {
            throw .image(error)
        }
        return vision.trace(frame, isFirstFrame: true, in: arena, on: pool).stages
    }
}
