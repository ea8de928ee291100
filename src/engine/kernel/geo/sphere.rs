//! Geometry on the unit sphere: points as unit vectors, edges as the shorter geodesics between them.

use std::f64::consts::PI;
use std::ops::{Add, Mul, Neg, Sub};

/// Meters, the mean radius of the Earth that the reference measures with.
pub const EARTH_RADIUS: f64 = 6_371_010.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vector {
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

impl Vector {
    pub const ZERO: Vector = Vector { x: 0.0, y: 0.0, z: 0.0 };

    pub fn new(x: f64, y: f64, z: f64) -> Vector {
        Vector { x, y, z }
    }

    pub fn dot(self, other: Vector) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub fn cross(self, other: Vector) -> Vector {
        Vector {
            x: self.y * other.z - self.z * other.y,
            y: self.z * other.x - self.x * other.z,
            z: self.x * other.y - self.y * other.x,
        }
    }

    pub fn length(self) -> f64 {
        self.dot(self).sqrt()
    }

    pub fn unit(self) -> Vector {
        let length = self.length();
        if length == 0.0 { self } else { self * (1.0 / length) }
    }

    /// The angle between two vectors, accurate for small ones.
    pub fn angle(self, other: Vector) -> f64 {
        self.cross(other).length().atan2(self.dot(other))
    }
}

impl Add for Vector {
    type Output = Vector;

    fn add(self, other: Vector) -> Vector {
        Vector::new(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl Sub for Vector {
    type Output = Vector;

    fn sub(self, other: Vector) -> Vector {
        Vector::new(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl Neg for Vector {
    type Output = Vector;

    fn neg(self) -> Vector {
        self * -1.0
    }
}

impl Mul<f64> for Vector {
    type Output = Vector;

    fn mul(self, factor: f64) -> Vector {
        Vector::new(self.x * factor, self.y * factor, self.z * factor)
    }
}

/// The point of a longitude and latitude in degrees; `None` outside -180..=180 and -90..=90.
pub fn point(longitude: f64, latitude: f64) -> Option<Vector> {
    if !(-180.0..=180.0).contains(&longitude) || !(-90.0..=90.0).contains(&latitude) {
        return None;
    }
    let (longitude, latitude) = (longitude.to_radians(), latitude.to_radians());
    let across = latitude.cos();
    Some(Vector::new(across * longitude.cos(), across * longitude.sin(), latitude.sin()))
}

/// Longitude and latitude in degrees.
pub fn degrees(point: Vector) -> (f64, f64) {
    let latitude = point.z.atan2(point.x.hypot(point.y));
    (point.y.atan2(point.x).to_degrees(), latitude.to_degrees())
}

/// The direction in which one sees `to` from `from`: clockwise from north, in 0..2π.
pub fn azimuth(from: Vector, to: Vector) -> f64 {
    let north = Vector::new(0.0, 0.0, 1.0);
    let east = north.cross(from).unit();
    let ahead = from.cross(east);
    let angle = to.dot(east).atan2(to.dot(ahead));
    if angle < 0.0 { angle + 2.0 * PI } else { angle }
}

/// Whether the turn from a over b to c is counterclockwise, with its size.
pub fn turn(a: Vector, b: Vector, c: Vector) -> f64 {
    a.cross(b).dot(c)
}

/// The point of the edge that is closest.
pub fn closest_on_edge(point: Vector, a: Vector, b: Vector) -> Vector {
    let normal = a.cross(b).unit();
    let projected = (point - normal * point.dot(normal)).unit();
    if normal != Vector::ZERO
        && projected != Vector::ZERO
        && turn_between(normal, a, projected) >= 0.0
        && turn_between(normal, projected, b) >= 0.0
    {
        return projected;
    }
    if point.angle(a) <= point.angle(b) { a } else { b }
}

/// How far one gets from `a` to `b` around a normal; negative the other way.
fn turn_between(normal: Vector, a: Vector, b: Vector) -> f64 {
    a.cross(b).dot(normal)
}

/// The point at an angle from the start of an edge.
pub fn along_edge(a: Vector, b: Vector, angle: f64) -> Vector {
    let tangent = a.cross(b).cross(a).unit();
    (a * angle.cos() + tangent * angle.sin()).unit()
}

/// Whether two edges cross, touching ends included.
pub fn edges_cross(a: Vector, b: Vector, c: Vector, d: Vector) -> bool {
    if a == c || a == d || b == c || b == d {
        return true;
    }
    let (abc, abd) = (turn(a, b, c), turn(a, b, d));
    let (cda, cdb) = (turn(c, d, a), turn(c, d, b));
    if abc * abd > 0.0 || cda * cdb > 0.0 {
        return false;
    }
    // Opposite sides of both great circles: the edges cross, or one crosses the other's antipode.
    let crossing = crossing_point(a, b, c, d);
    crossing.dot(a + b) > 0.0 && crossing.dot(c + d) > 0.0
}

/// Where two edges that cross do so.
pub fn crossing_point(a: Vector, b: Vector, c: Vector, d: Vector) -> Vector {
    for shared in [a, b] {
        if shared == c || shared == d {
            return shared;
        }
    }
    let crossing = a.cross(b).cross(c.cross(d)).unit();
    if crossing.dot(a + b + c + d) < 0.0 { -crossing } else { crossing }
}

/// The area of a triangle, positive if its corners run counterclockwise.
pub fn triangle_area(a: Vector, b: Vector, c: Vector) -> f64 {
    let volume = turn(a, b, c);
    2.0 * volume.atan2(1.0 + a.dot(b) + b.dot(c) + c.dot(a))
}

/// The centroid of a triangle times its signed area.
pub fn triangle_centroid(a: Vector, b: Vector, c: Vector) -> Vector {
    let ratio = |angle: f64| if angle == 0.0 { 1.0 } else { angle / angle.sin() };
    let (ra, rb, rc) = (ratio(b.angle(c)), ratio(c.angle(a)), ratio(a.angle(b)));
    let x = Vector::new(a.x, b.x - a.x, c.x - a.x);
    let y = Vector::new(a.y, b.y - a.y, c.y - a.y);
    let z = Vector::new(a.z, b.z - a.z, c.z - a.z);
    let r = Vector::new(ra, rb - ra, rc - ra);
    Vector::new(y.cross(z).dot(r), z.cross(x).dot(r), x.cross(y).dot(r)) * 0.5
}

/// The centroid of an edge times its length.
pub fn edge_centroid(a: Vector, b: Vector) -> Vector {
    let (difference, sum) = (a - b, a + b);
    let (sine, cosine) = (difference.dot(difference), sum.dot(sum));
    if cosine == 0.0 { Vector::ZERO } else { sum * (sine / cosine).sqrt() }
}
