/// One sheet of images in labeled rows, as a canvas.
///
/// Used for candidates by MI (the chosen one framed) and for base against tuned.
struct ContactSheet {
    struct Cell {
        let picture: Picture
        var caption = ""
        var isMarked = false
    }

    struct Row {
        let label: String
        let cells: [Cell]
    }

    let title: String
    let rows: [Row]
    /// Side of an image on the sheet, in pixels.
    var cellSize = 64

    private let margin = 12
    private let gap = 8
    private let labelHeight = 14
    private let captionHeight = 12

    init(title: String, rows: [Row], cellSize: Int = 64) {
        self.title = title
        self.rows = rows
        self.cellSize = cellSize
    }

    func render() -> Canvas {
        let columns = rows.map(\.cells.count).max() ?? 0
        let longest = max(title.count * 2, rows.map(\.label.count).max() ?? 0)
        let text = min(longest * BitmapFont.advance, 1600)
        let width = 2 * margin + max(columns * (cellSize + gap) - gap, text)
        let rowHeight = labelHeight + cellSize + captionHeight + gap
        var canvas = Canvas(width: width, height: 2 * margin + 24 + rows.count * rowHeight)
        canvas.write(title, x: margin, y: margin, scale: 2)
        for (index, row) in rows.enumerated() {
            let top = margin + 24 + index * rowHeight
            canvas.write(row.label, x: margin, y: top)
            for (column, cell) in row.cells.enumerated() {
                let (x, y) = (margin + column * (cellSize + gap), top + labelHeight)
                canvas.draw(cell.picture, x: x, y: y, size: cellSize)
                if cell.isMarked {
                    canvas.frame(x: x, y: y, width: cellSize, height: cellSize, thickness: 3, .mark)
                }
                canvas.write(cell.caption, x: x, y: y + cellSize + 4, cell.isMarked ? .mark : .gray)
            }
        }
        return canvas
    }
}
