//! Charts as SVG: panels of horizontal bars, each panel with its own scale from zero.

use std::fmt::Write as _;

/// A bar with its name on the left and its figure at its end.
pub(super) struct Bar {
    pub(super) name: &'static str,
    pub(super) value: Option<f64>,
    pub(super) shown: String,
    pub(super) is_ours: bool,
    /// Those that are not are hatched.
    pub(super) is_ranked: bool,
}

/// Bars of one figure.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) bars: Vec<Bar>,
}

const WIDTH: f64 = 760.0;
const NAMES: f64 = 190.0;
const FIGURES: f64 = 120.0;
const ROW: f64 = 22.0;
const HEADING: f64 = 34.0;

/// Readable on light and dark pages: it brings its own background.
const HEAD: &str = r##"<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.heading { font-weight: 600; font-size: 15px }
.panel { font-weight: 600 }
.ours { fill: #1a7f64 }
.peer { fill: #8c959f }
</style>
<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="6" height="6" fill="#eaeef2"/><rect width="2" height="6" fill="#8c959f"/>
</pattern></defs>
"##;

/// The text of an SVG file.
pub(super) fn chart(heading: &str, panels: &[Panel]) -> String {
    let mut body = String::new();
    let mut y = HEADING;
    let _ = writeln!(body, r#"<text class="heading" x="12" y="24">{}</text>"#, escape(heading));
    for panel in panels {
        y += ROW;
        let _ = writeln!(
            body,
            r#"<text class="panel" x="12" y="{:.0}">{}</text>"#,
            y - 4.0,
            escape(panel.title)
        );
        let largest = panel.bars.iter().filter_map(|bar| bar.value).fold(0.0, f64::max);
        for bar in &panel.bars {
            draw(&mut body, bar, largest, y);
            y += ROW;
        }
        y += 8.0;
    }
    if panels.iter().flat_map(|panel| &panel.bars).any(|bar| !bar.is_ranked) {
        y += ROW;
        let note = "hatched: not as durable as the others here, and not ranked";
        let _ = writeln!(body, r#"<text x="12" y="{:.0}">{note}</text>"#, y - 6.0);
    }
    let height = y + 8.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<title>{}</title>\n{HEAD}\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n",
        escape(heading)
    )
}

fn draw(body: &mut String, bar: &Bar, largest: f64, y: f64) {
    let share = bar.value.map_or(0.0, |value| if largest > 0.0 { value / largest } else { 0.0 });
    // What is not nothing can be seen.
    let width =
        (share * (WIDTH - NAMES - FIGURES)).max(if bar.value.is_some() { 1.0 } else { 0.0 });
    let paint = match (bar.is_ours, bar.is_ranked) {
        (true, _) => r#"class="ours""#,
        (false, true) => r#"class="peer""#,
        (false, false) => r#"fill="url(#hatch)""#,
    };
    let _ = writeln!(
        body,
        r#"<text x="{:.0}" y="{:.0}" text-anchor="end">{}</text>"#,
        NAMES - 8.0,
        y + 15.0,
        escape(bar.name)
    );
    let _ = writeln!(
        body,
        r#"<rect x="{NAMES}" y="{:.0}" width="{width:.1}" height="16" {paint}/>"#,
        y + 3.0
    );
    let _ = writeln!(
        body,
        r#"<text x="{:.1}" y="{:.0}">{}</text>"#,
        NAMES + width + 6.0,
        y + 15.0,
        escape(&bar.shown)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(value: Option<f64>, is_ours: bool, is_ranked: bool) -> Bar {
        Bar { name: "a & b", value, shown: "1/s".to_owned(), is_ours, is_ranked }
    }

    #[test]
    fn bars_are_to_scale_and_names_are_escaped() {
        let bars = vec![bar(Some(50.0), true, true), bar(Some(100.0), false, true)];
        let svg = chart("what", &[Panel { title: "one", bars }]);
        let full = WIDTH - NAMES - FIGURES;
        assert!(svg.contains(&format!(r#"width="{full:.1}" height="16" class="peer""#)));
        assert!(svg.contains(&format!(r#"width="{:.1}" height="16" class="ours""#, full / 2.0)));
        assert!(svg.contains("a &amp; b") && !svg.contains("hatched:"));
    }

    #[test]
    fn what_is_not_ranked_is_hatched_and_said_to_be() {
        let bars = vec![bar(Some(1.0), false, false), bar(None, false, true)];
        let svg = chart("what", &[Panel { title: "one", bars }]);
        assert!(svg.contains("url(#hatch)") && svg.contains("hatched:"));
    }
}
