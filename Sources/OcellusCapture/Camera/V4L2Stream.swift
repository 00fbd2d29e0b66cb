// SPDX-License-Identifier: Apache-2.0
import CLibc
import CV4L2
import OcellusImage
import OcellusMemory

/// The running stream of a camera: what the driver agreed to give, and its buffers.
///
/// The buffers are the driver's memory, mapped. Dequeued buffers are given back at once, so the driver
/// never runs out of them.
@safe
final class V4L2Stream {
    /// The device; it stays open as long as the stream.
    let device: V4L2Device
    /// What the driver agreed to.
    let agreement: CameraAgreement
    /// How many buffers there are.
    let bufferCount: Int
    /// The mapped planes: `CV4L2_MAX_PLANES` for each buffer.
    private let planes: UnsafeMutablePointer<cv4l2_plane>

    private static let planesPerBuffer = Int(CV4L2_MAX_PLANES)
    /// One that the driver fills, one that is copied, two for a thread that comes late.
    private static let wishedBufferCount: UInt32 = 4

    /// Maps the buffers, queues them and starts the stream.
    ///
    /// The corresponding C calls are `VIDIOC_REQBUFS`, `VIDIOC_QUERYBUF`, `mmap`, `VIDIOC_QBUF` and
    /// `VIDIOC_STREAMON`.
    ///
    /// - Throws: `V4L2Failure`; the device is then as before.
    init(_ device: V4L2Device, agreement: CameraAgreement) throws(V4L2Failure) {
        var count = V4L2Stream.wishedBufferCount
        try V4L2Failure.check(
            unsafe cv4l2_request_buffers(device.camera, &count),
            "VIDIOC_REQBUFS"
        )
        // Drivers may give more, or fewer; with one there would be nothing to fill while it is copied.
        guard count >= 2 else { throw V4L2Failure(call: "VIDIOC_REQBUFS", number: ENOMEM) }
        bufferCount = Int(min(count, UInt32(CV4L2_MAX_BUFFERS)))
        unsafe planes = .allocate(capacity: bufferCount * V4L2Stream.planesPerBuffer)
        unsafe planes.initialize(
            repeating: cv4l2_plane(),
            count: bufferCount * V4L2Stream.planesPerBuffer
        )
        self.device = device
        self.agreement = agreement
        try start()
    }

    deinit {
        unsafe _ = cv4l2_stream_off(device.camera)
        for index in 0..<bufferCount {
            unsafe cv4l2_unmap_buffer(
                device.camera,
                planes + index * V4L2Stream.planesPerBuffer
            )
        }
        var none: UInt32 = 0
        unsafe _ = cv4l2_request_buffers(device.camera, &none)
        unsafe planes.deallocate()
    }

    private func start() throws(V4L2Failure) {
        for index in 0..<bufferCount {
            let first = unsafe planes + index * V4L2Stream.planesPerBuffer
            try V4L2Failure.check(
                unsafe cv4l2_map_buffer(device.camera, UInt32(index), first),
                "VIDIOC_QUERYBUF"
            )
            try V4L2Failure.check(unsafe cv4l2_queue(device.camera, UInt32(index)), "VIDIOC_QBUF")
        }
        try V4L2Failure.check(unsafe cv4l2_stream_on(device.camera), "VIDIOC_STREAMON")
    }

    /// Whether the bytes that a driver says are in a buffer fit into it, and the buffer exists.
    func isPossible(_ filled: cv4l2_filled) -> Bool {
        guard filled.index < UInt32(bufferCount) else { return false }
        let offsets = filled.offset
        let counts = filled.byte_count
        return fits(filled.index, 0, offsets.0, counts.0)
            && fits(filled.index, 1, offsets.1, counts.1)
            && fits(filled.index, 2, offsets.2, counts.2)
    }

    /// How many bytes a buffer has less than a picture needs; only of pictures of samples.
    func missingByteCount(_ filled: cv4l2_filled) -> Int {
        let counts = filled.byte_count
        var missing = max(0, agreement.place(ofPlane: 0).byteCount - Int(counts.0))
        if agreement.planeCount > 1 {
            missing += max(0, agreement.place(ofPlane: 1).byteCount - Int(counts.1))
        }
        if agreement.planeCount > 2 {
            missing += max(0, agreement.place(ofPlane: 2).byteCount - Int(counts.2))
        }
        return missing
    }

    /// Copies the data of a buffer's planes, one behind the other, each to its offset.
    ///
    /// - Parameters:
    ///   - filled: a buffer that `isPossible`.
    ///   - out: memory for at least `agreement.slotByteCount` bytes.
    /// - Returns: how many bytes were copied.
    func copy(_ filled: cv4l2_filled, to out: UnsafeMutableRawPointer) -> Int {
        let offsets = filled.offset
        let counts = filled.byte_count
        var end = unsafe copy(filled.index, 0, offsets.0, counts.0, to: out)
        if agreement.planeCount > 1 {
            end = unsafe copy(filled.index, 1, offsets.1, counts.1, to: out)
        }
        if agreement.planeCount > 2 {
            end = unsafe copy(filled.index, 2, offsets.2, counts.2, to: out)
        }
        return end
    }

    /// The data of a plane where the driver put it; of a buffer that `isPossible`, until it is queued.
    @unsafe
    func data(of filled: cv4l2_filled, plane: Int) -> UnsafeRawBufferPointer {
        let (offsets, counts) = (filled.offset, filled.byte_count)
        let offset = plane == 0 ? offsets.0 : plane == 1 ? offsets.1 : offsets.2
        let count = plane == 0 ? counts.0 : plane == 1 ? counts.1 : counts.2
        let mapped = unsafe planes[Int(filled.index) * V4L2Stream.planesPerBuffer + plane]
        guard let start = unsafe mapped.start else {
            return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return unsafe UnsafeRawBufferPointer(start: start + Int(offset), count: Int(count))
    }

    private func fits(_ index: UInt32, _ plane: Int, _ offset: UInt32, _ count: UInt32) -> Bool {
        if plane >= agreement.planeCount { return true }
        // Safety: the index is below bufferCount, the plane below planesPerBuffer.
        let mapped = unsafe planes[Int(index) * V4L2Stream.planesPerBuffer + plane]
        return unsafe Int(offset) + Int(count) <= mapped.byte_count
    }

    private func copy(
        _ index: UInt32,
        _ plane: Int,
        _ offset: UInt32,
        _ count: UInt32,
        to out: UnsafeMutableRawPointer
    ) -> Int {
        let place = agreement.place(ofPlane: plane)
        let size = min(Int(count), place.byteCount)
        // Safety: `isPossible` says that the plane has the bytes; the place ends within the slot.
        let mapped = unsafe planes[Int(index) * V4L2Stream.planesPerBuffer + plane]
        if let start = unsafe mapped.start, size > 0 {
            unsafe (out + place.offset).copyMemory(from: start + Int(offset), byteCount: size)
        }
        return place.offset + size
    }
}
