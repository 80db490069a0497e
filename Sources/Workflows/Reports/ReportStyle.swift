import Plots

/// The style sheet of reports. A style element is not unescaped by browsers: there are no quotes or angle brackets in it.
enum ReportStyle {
    static let css =
        """
        :root { color-scheme: light dark; --paper: #f6f7f8; --card: #fff; --ink: #17202a; --quiet: #51606f; --line: #d6dce2;
          --accent: #0b6e69; --plot-first: #0b6e69; --plot-second: #c2410c; --plot-third: #6d28d9; --plot-faint: #a3adb8; }
        @media (prefers-color-scheme: dark) { :root { --paper: #10151a; --card: #182028; --ink: #e8edf2; --quiet: #a3b1be;
          --line: #2f3b46; --accent: #4fd1c5; --plot-first: #4fd1c5; --plot-second: #fb923c; --plot-third: #b79bff;
          --plot-faint: #55636f; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 1240px; padding: 28px clamp(12px, 3vw, 32px) 64px; background: var(--paper);
          color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 4px; }
        h2 { font-size: 1.25rem; margin: 36px 0 12px; }
        h3 { font-size: 1rem; margin: 18px 0 8px; }
        a { color: var(--accent); }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        code { font-family: ui-monospace, monospace; font-size: 0.88em; }
        .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        .quiet { color: var(--quiet); }
        nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; padding: 0; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; margin: 0 0 16px; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 0 16px; }
        .charts .plot, .card .plot { display: block; width: 100%; }
        .images { display: flex; flex-wrap: wrap; gap: 10px; margin: 0 0 8px; }
        .images figure { margin: 0; width: 128px; border: 2px solid var(--line); border-radius: 8px; overflow: hidden;
          background: var(--card); }
        .images figure.chosen { border-color: var(--accent); box-shadow: 0 0 0 2px var(--accent); }
        .images img { display: block; width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; image-rendering: auto; }
        .images img.tiny { image-rendering: pixelated; }
        .images figcaption { font-size: 0.8rem; padding: 2px 8px; font-variant-numeric: tabular-nums; }
        .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 20px; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
        th { text-align: left; color: var(--quiet); }
        th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
        @media print { body { background: none; } .card { break-inside: avoid; } }

        """ + PlotStyle.css
}
