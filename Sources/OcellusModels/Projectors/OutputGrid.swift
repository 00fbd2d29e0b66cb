// SPDX-License-Identifier: Apache-2.0
import OcellusFormat

extension FeatureGrid {
    /// The grid that a pooling projector leaves: `ocellus.projector.grid`, else half of the input's.
    static func ofTokens(
        from input: FeatureGrid,
        file: borrowing ModelFile
    ) throws(ModelError) -> FeatureGrid {
        let key = "ocellus.projector.grid"
        guard file.contains(key) else {
            return FeatureGrid(height: (input.height + 1) / 2, width: (input.width + 1) / 2)
        }
        let grid = try reading { () throws(ModelFileError) in try file.ints(key) }
        guard grid.count == 2, 1...input.height ~= grid[0], 1...input.width ~= grid[1] else {
            throw .unsupported(
                path: file.path,
                what: "\(key) must be [height, width] inside the encoder's grid of "
                    + "\(input.height) x \(input.width)"
            )
        }
        return FeatureGrid(height: grid[0], width: grid[1])
    }
}
