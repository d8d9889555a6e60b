//! Drawing one picture: lines on logarithmic scales, each labelled where it ends.
//!
//! Nothing is painted behind it, and all colours are of middling brightness, so that it can be read on light and on dark pages.

use anyhow::{Context, Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figure::{Figure, Series};
use super::labels::spread;
use super::scale::{Logarithmic, marks};
use crate::report::Report;
use crate::units::number;

const SIZE: (u32, u32) = (1020, 540);

/// Room for labels beside the lines, and for two lines below.
const BESIDE: u32 = 330;
const BELOW: u32 = 46;

const TEXT: RGBColor = RGBColor(0x73, 0x7b, 0x85);

const OURS: [RGBColor; 4] =
    [RGBColor(0xe8, 0x59, 0x0c), RGBColor(0xd6, 0x33, 0x6c), RGBColor(0xf0, 0x8c, 0x00), RGBColor(0xae, 0x3e, 0xc9)];

const THEIRS: [RGBColor; 13] = [
    RGBColor(0x3b, 0x82, 0xc4),
    RGBColor(0x2b, 0x9a, 0x66),
    RGBColor(0x7c, 0x6f, 0xd6),
    RGBColor(0x1a, 0x97, 0xa6),
    RGBColor(0x8a, 0x8f, 0x3c),
    RGBColor(0x9a, 0x7b, 0x5f),
    RGBColor(0x4f, 0x9e, 0xd9),
    RGBColor(0x5f, 0xae, 0x7f),
    RGBColor(0xb0, 0x7c, 0xc6),
    RGBColor(0x3f, 0x7f, 0x8f),
    RGBColor(0xb0, 0x9a, 0x30),
    RGBColor(0x7f, 0x8f, 0xb0),
    RGBColor(0xa0, 0x70, 0x70),
];

/// What is drawn on.
type Plane<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Logarithmic, Logarithmic>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub struct Chart<'f> {
    figure: &'f Figure,
    series: Vec<Series>,
    /// What the notes mean, and where and when it was measured.
    below: [String; 2],
}

/// What is written above a point.
struct Note {
    at: (f64, f64),
    colour: RGBColor,
    text: String,
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("drawing: {error}")
}

impl<'f> Chart<'f> {
    /// Nothing if there is nothing to show.
    pub fn of(figure: &'f Figure, report: &Report) -> Option<Self> {
        let series = figure.series(report);
        let machine = &report.machine;
        let commit = machine.commit.as_deref().unwrap_or("an unknown commit");
        let day = report.date.split('T').next().unwrap_or_default();
        let origin = format!(
            "{}, {} cores, {}; {} run, medians; dynring at {commit}; {day}",
            machine.cpu, machine.cores, machine.kernel, report.effort
        );
        let compared = series.iter().any(|series| figure.is_measure(series));
        let meaning = if compared {
            "2x above a point: the best of dynring is twice as good as the best of the others"
        } else {
            ""
        };
        let below = [meaning.to_owned(), origin];
        (!series.is_empty()).then_some(Self { figure, series, below })
    }

    pub fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            let (above, below) = root.split_vertically(SIZE.1 - BELOW);
            let (lines, _) = above.split_horizontally(SIZE.0 - BESIDE);
            let mut plane = self.plane(&lines)?;
            let palette = self.palette();
            for (series, colour) in self.series.iter().zip(&palette) {
                draw_line(&mut plane, series, *colour)?;
            }
            self.label(&root, &plane, &palette)?;
            annotate(&plane, &notes(self.figure, &self.series, &palette))?;
            for (line, y) in self.below.iter().zip([4, 22]) {
                below.draw(&Text::new(line.clone(), (16, y), font(12, TEXT))).map_err(failed)?;
            }
            root.present().map_err(failed)?;
        }
        Ok(svg)
    }

    fn plane<'a>(&self, area: &Area<'a>) -> Result<Plane<'a>> {
        let all = || self.series.iter().flat_map(|series| series.points.iter().copied());
        let range = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, 0f64), |(low, high), value| (low.min(value), high.max(value)))
        };
        let (x_low, x_high) = range(&mut all().map(|point| point.0));
        let (y_low, y_high) = range(&mut all().map(|point| point.1));
        let mut ticks: Vec<_> = all().map(|point| point.0).collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        let x = Logarithmic { low: x_low / 1.15, high: x_high * 1.15, marks: ticks };
        // Room for notes above, and for lines that are flat.
        let room = (y_high / y_low).powf(0.09).max(1.2);
        let (low, high) = (y_low / room, y_high * room);
        let y = Logarithmic { low, high, marks: marks(low, high) };
        let mut builder = ChartBuilder::on(area);
        builder.caption(self.figure.title, font(20, TEXT)).margin(12).x_label_area_size(44).y_label_area_size(60);
        let mut plane = builder.build_cartesian_2d(x, y).map_err(failed)?;
        self.mesh(&mut plane)?;
        Ok(plane)
    }

    fn mesh(&self, plane: &mut Plane<'_>) -> Result<()> {
        let Figure { x, y, .. } = *self.figure;
        let (x_mark, y_mark) = (|value: &f64| x.mark(*value), |value: &f64| number(*value));
        let mut mesh = plane.configure_mesh();
        mesh.x_desc(x.label()).y_desc(y.label()).axis_desc_style(font(14, TEXT)).label_style(font(13, TEXT));
        mesh.axis_style(TEXT.mix(0.6)).bold_line_style(TEXT.mix(0.25)).light_line_style(TRANSPARENT);
        mesh.x_label_formatter(&x_mark);
        mesh.y_label_formatter(&y_mark);
        mesh.draw().map_err(failed)
    }

    /// The colour of each line.
    fn palette(&self) -> Vec<RGBColor> {
        let (mut ours, mut theirs) = (OURS.into_iter().cycle(), THEIRS.into_iter().cycle());
        let colour = |series: &Series| if series.ours { ours.next() } else { theirs.next() };
        self.series.iter().map(colour).map(Option::unwrap_or_default).collect()
    }

    /// Writes the name of each line beside its end.
    fn label(&self, root: &Area<'_>, plane: &Plane<'_>, palette: &[RGBColor]) -> Result<()> {
        let end = |series: &Series| {
            let last = series.points.last().context("a line without points")?;
            Ok(plane.backend_coord(last))
        };
        let ends = self.series.iter().map(end).collect::<Result<Vec<_>>>()?;
        let wanted: Vec<_> = ends.iter().map(|end| end.1).collect();
        let places = spread(&wanted, 17, 48, (SIZE.1 - BELOW) as i32 - 60);
        let left = (SIZE.0 - BESIDE) as i32 + 8;
        for (((series, colour), end), place) in self.series.iter().zip(palette).zip(ends).zip(places) {
            let connection = PathElement::new([end, (left - 4, place)], colour.mix(0.4));
            root.draw(&connection).map_err(failed)?;
            let name = font(if series.ours { 15 } else { 13 }, *colour).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(series.name.clone(), (left, place), name)).map_err(failed)?;
        }
        Ok(())
    }
}

fn annotate(plane: &Plane<'_>, notes: &[Note]) -> Result<()> {
    for Note { at, colour, text } in notes {
        let style = font(13, *colour).pos(Pos::new(HPos::Center, VPos::Bottom));
        let above = EmptyElement::at(*at) + Text::new(text.clone(), (0, -8), style);
        plane.plotting_area().draw(&above).map_err(failed)?;
    }
    Ok(())
}

fn font(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

fn draw_line(plane: &mut Plane<'_>, series: &Series, colour: RGBColor) -> Result<()> {
    let (width, dot) = if series.ours { (4, 5) } else { (2, 3) };
    let points = || series.points.iter().copied();
    plane.draw_series(LineSeries::new(points(), colour.stroke_width(width))).map_err(failed)?;
    plane.draw_series(points().map(|point| Circle::new(point, dot, colour.filled()))).map_err(failed)?;
    Ok(())
}

/// Above the best of dynring, how many times as good as the best of the others it is; without others, what is highest.
fn notes(figure: &Figure, series: &[Series], palette: &[RGBColor]) -> Vec<Note> {
    let mut all: Vec<f64> = series.iter().flat_map(|series| &series.points).map(|point| point.0).collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    let higher = figure.y.higher_is_better();
    let compared = series.iter().any(|series| figure.is_measure(series));
    let note = |x: f64| {
        let at = series.iter().zip(palette).filter_map(|(series, colour)| Some((series, *colour, series.at(x)?)));
        let best = |wanted: &dyn Fn(&Series) -> bool, highest: bool| {
            let order = |y: f64| if highest { y } else { -y };
            let wanted = at.clone().filter(|(series, ..)| wanted(series));
            wanted.max_by(|one, other| order(one.2).total_cmp(&order(other.2)))
        };
        let (_, colour, y) = best(&|series| series.ours, higher || !compared)?;
        let times = match best(&|series| figure.is_measure(series), higher) {
            Some((.., other)) if higher => y / other,
            Some((.., other)) => other / y,
            None => y,
        };
        Some(Note { at: (x, y), colour, text: format!("{times:.2}x") })
    };
    all.into_iter().filter_map(note).collect()
}
