// SPDX-License-Identifier: Apache-2.0
import OcellusImage

extension PictureFile {
    /// The size that a given picture is decoded at, and planned for: what `ocellus` takes without options,
    /// or, if it would refuse the picture, up to the largest limit.
    ///
    /// - Throws: As `size(of:limit:)`.
    static func plannedSize(of path: String) throws(ImageError) -> ImageSize {
        do {
            return try size(of: path)
        } catch .pictureTooLarge {
            return try size(of: path, limit: .largestLimit)
        }
    }
}
