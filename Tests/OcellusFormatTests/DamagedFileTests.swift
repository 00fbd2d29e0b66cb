// SPDX-License-Identifier: Apache-2.0
import OcellusFormat
import OcellusMemory
import Testing

@Suite("Damaged files give an error or a valid model")
struct DamagedFileTests {
    @Test("Every truncation of a file is refused, with offset, need and rest")
    func truncations() throws {
        let folder = try TemporaryFolder()
        let bytes = try SmallFile.bytes()
        // The last tensor has 4 bytes; what follows is padding.
        let end = bytes.count - 28
        for length in 1..<end {
            let path = try folder.write(Array(bytes.prefix(length)))
            do throws(ModelFileError) {
                _ = try ModelFile(path: path)
                Issue.record("\(length) bytes of \(bytes.count) were accepted")
            } catch {
                guard case .truncated(_, _, let offset, let needed, let available) = error else {
                    Issue.record("\(length) bytes: \(error.description)")
                    continue
                }
                #expect(offset + available <= length || available == 0)
                #expect(needed > UInt64(available))
            }
        }
        let path = try folder.write(Array(bytes.prefix(end)))
        #expect(try ModelFile(path: path).tensors.count == 8)
    }

    @Test(
        "What a download leaves in the place of a file is told as such",
        arguments: [
            ("", "the file is empty"),
            (
                "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
                "a pointer of git-lfs in"
            ),
            ("\n<!doctype html><html>", "a page of a web site in place of the file"),
            ("GGML", "not a GGUF file"),
        ]
    )
    func standIns(text: String, expected: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Array(text.utf8))
        do throws(ModelFileError) {
            _ = try ModelFile(path: path)
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.description.hasPrefix("\(path): \(expected)"), "\(error.description)")
        }
    }

    @Test("Ten thousand random changes of bytes")
    func randomChanges() throws {
        let folder = try TemporaryFolder()
        let bytes = try SmallFile.bytes()
        var numbers = SplitMix(state: 20_261_121)
        var validCount = 0
        for _ in 0..<10_000 {
            var changed = bytes
            for _ in 0...Int.random(in: 0..<4, using: &numbers) {
                // Mostly in the header, where the structure is.
                let place = Int.random(in: 0..<bytes.count, using: &numbers)
                let extremes: [UInt8] = [0x00, 0x01, 0x7F, 0x80, 0xFF]
                changed[place] =
                    Bool.random(using: &numbers)
                    ? UInt8.random(in: 0...255, using: &numbers)
                    : extremes[Int.random(in: 0..<extremes.count, using: &numbers)]
            }
            let path = try folder.write(changed)
            do throws(ModelFileError) {
                let file = try ModelFile(path: path)
                validCount += 1
                useEverything(of: file)
            } catch {
                #expect(error.description.hasPrefix(path))
            }
        }
        // Changes of values and of weights leave a valid file; changes of the structure do not.
        #expect(validCount > 1000 && validCount < 9000)
    }

    /// Reads every value in every way, and the first and last byte of every tensor.
    private func useEverything(of file: borrowing ModelFile) {
        for entry in file.metadata {
            _ = try? file.int(entry.key)
            _ = try? file.float(entry.key)
            _ = try? file.bool(entry.key)
            _ = try? file.string(entry.key)
            _ = try? file.ints(entry.key)
            _ = try? file.floats(entry.key)
            _ = try? file.bools(entry.key)
            _ = try? file.strings(entry.key)
        }
        for tensor in file.tensors {
            let isReadable = file.withBytes(of: tensor) { bytes in
                bytes.count == tensor.byteCount && (bytes.first ?? 0) | (bytes.last ?? 0) >= 0
            }
            #expect(isReadable)
            if let matrix = try? file.matrix(tensor.name) {
                #expect(matrix.byteCount == tensor.byteCount)
            }
            _ = try? file.vector(tensor.name, count: tensor.elementCount)
        }
        _ = file.checksum
    }
}

/// A small generator of random numbers with a seed (Steele, Lea and Flood 2014, SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
