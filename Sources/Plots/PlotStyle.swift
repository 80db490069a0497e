/// The style sheet of plots: pages include it in theirs, reports bring it along.
package enum PlotStyle {
    /// Colors for a drawing that stands alone, light or dark as its reader's.
    static let alone =
        """
        :root { --ink: #17202a; --quiet: #51606f; --line: #d6dce2; --card: #fff; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --quiet: #a3b1be; --line: #2f3b46; --card: #182028; } }
        .plot-paper { fill: var(--card); }

        """ + css

    package static let css = """
        .chart { margin: 0; }
        .plot { max-width: 100%; height: auto; font: 12px system-ui, sans-serif; }
        @media (max-width: 600px) { .plot { font-size: 15px; } }
        .plot text { fill: var(--quiet, #555); }
        .plot .plot-label { fill: var(--ink, #222); }
        .plot-grid { stroke: var(--line, #ddd); stroke-width: 1; }
        .plot-axis { stroke: var(--quiet, #555); stroke-width: 1; }
        .plot-line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke: var(--plot-first, #1f6f8b); }
        .plot-first { stroke: var(--plot-first, #1f6f8b); }
        .plot-second { stroke: var(--plot-second, #c2410c); stroke-width: 2.4; }
        .plot-third { stroke: var(--plot-third, #6d28d9); stroke-dasharray: 6 4; }
        .plot-faint { stroke: var(--plot-faint, #a8b0ba); stroke-width: 1; }
        .plot-dot { fill: var(--plot-first, #1f6f8b); stroke: none; }
        .plot-bar { fill: var(--plot-first, #1f6f8b); }
        .plot { --s0: #0b6e69; --s1: #c2410c; --s2: #6d28d9; --s3: #1d4ed8; --s4: #8a6100; --s5: #be185d; --s6: #3f6d0b; --s7: #475569; }
        @media (prefers-color-scheme: dark) {
          .plot { --s0: #4fd1c5; --s1: #fb923c; --s2: #b79bff; --s3: #7db4ff; --s4: #e8c547; --s5: #f783b4; --s6: #a8d65c; --s7: #a3b1be; }
        }
        .plot-s0 { --series: var(--s0); } .plot-s1 { --series: var(--s1); } .plot-s2 { --series: var(--s2); }
        .plot-s3 { --series: var(--s3); } .plot-s4 { --series: var(--s4); } .plot-s5 { --series: var(--s5); }
        .plot-s6 { --series: var(--s6); } .plot-s7 { --series: var(--s7); }
        .plot-mark { fill: var(--series); stroke: none; }
        .plot-interval { stroke: var(--series); stroke-width: 1.4; fill: none; }
        .plot-path { stroke: var(--series); stroke-width: 1.8; fill: none; stroke-linejoin: round; }
        .plot-reference { stroke: var(--series); stroke-width: 1.4; stroke-dasharray: 6 4; fill: none; }
        .plot .plot-point { font-size: 11px; }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 4px 0 0; padding: 0; font-size: 0.85rem; }
        .legend .key { margin-right: 6px; vertical-align: middle; }
        """
}
