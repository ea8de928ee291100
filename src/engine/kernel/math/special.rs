//! Special functions: gamma, error function, beta distribution, Welch's test.

use std::f64::consts::PI;

/// Lanczos' coefficients for g = 7, n = 9.
const LANCZOS: [f64; 9] = [
    0.999_999_999_999_809_9,
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

fn lanczos_sum(x: f64) -> f64 {
    let terms = LANCZOS.iter().enumerate().skip(1).map(|(i, c)| c / (x + i as f64));
    LANCZOS[0] + terms.sum::<f64>()
}

/// The gamma function; NaN at its poles.
pub fn gamma(x: f64) -> f64 {
    if x.fract() == 0.0 && x <= 0.0 {
        return f64::NAN;
    }
    if x.fract() == 0.0 && x <= 171.0 {
        return (2..x as i64).fold(1.0, |product, factor| product * factor as f64);
    }
    if x < 0.5 {
        return PI / ((PI * x).sin() * gamma(1.0 - x));
    }
    let x = x - 1.0;
    let t = x + 7.5;
    // Two factors, so that the power does not overflow before the exponential shrinks it.
    let power = t.powf((x + 0.5) / 2.0);
    (2.0 * PI).sqrt() * power * (-t).exp() * power * lanczos_sum(x)
}

/// The logarithm of |gamma(x)|; infinite at the poles.
pub fn log_gamma(x: f64) -> f64 {
    if x.fract() == 0.0 && x <= 0.0 {
        return f64::INFINITY;
    }
    if x < 0.5 {
        return (PI / (PI * x).sin().abs()).ln() - log_gamma(1.0 - x);
    }
    if x == 1.0 || x == 2.0 {
        return 0.0;
    }
    let x = x - 1.0;
    let t = x + 7.5;
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + lanczos_sum(x).ln()
}

/// The error function: its power series near zero, the continued fraction of `erfc` elsewhere.
pub fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.abs() > 2.5 {
        return x.signum() * (1.0 - erfc(x.abs()));
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 * sum.abs() && n < 200.0 {
        n += 1.0;
        term *= -x * x / n;
        sum += term / (2.0 * n + 1.0);
    }
    2.0 / PI.sqrt() * sum
}

/// 1 - erf(x), precise for large x.
pub fn erfc(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x <= 2.5 {
        return 1.0 - erf(x);
    }
    if x > 27.5 {
        return 0.0;
    }
    let fraction = (1..=80).rev().fold(x, |below, n| x + f64::from(n) / 2.0 / below);
    (-x * x).exp() / (PI.sqrt() * fraction)
}

/// The regularised incomplete beta function, by its continued fraction (Lentz's method).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..=500 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        let factor = d * c;
        result *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}

/// The cumulative beta distribution. NaN outside [0, 1]; 1 for parameters that are not positive, as the
/// engine has it.
pub fn beta_cdf(x: f64, alpha: f64, beta: f64) -> f64 {
    if !(0.0..=1.0).contains(&x) {
        return f64::NAN;
    }
    if alpha <= 0.0 || beta <= 0.0 {
        return 1.0;
    }
    incomplete_beta(x, alpha, beta)
}

/// The density of the beta distribution.
pub fn beta_pdf(x: f64, alpha: f64, beta: f64) -> f64 {
    if !(0.0..=1.0).contains(&x) || alpha <= 0.0 || beta <= 0.0 {
        return f64::NAN;
    }
    let scale = (log_gamma(alpha + beta) - log_gamma(alpha) - log_gamma(beta)).exp();
    x.powf(alpha - 1.0) * (1.0 - x).powf(beta - 1.0) * scale
}

/// The x with that cumulative probability, by bisection: null for a probability outside [0, 1], NaN for
/// parameters that are not positive.
pub fn beta_inverse(probability: f64, alpha: f64, beta: f64) -> Option<f64> {
    if alpha <= 0.0 || beta <= 0.0 {
        return Some(f64::NAN);
    }
    if !(0.0..=1.0).contains(&probability) {
        return None;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if incomplete_beta(middle, alpha, beta) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(0.5 * (low + high))
}

/// The two-sided p-value of Welch's t-test for (mean, variance, count) of two samples.
pub fn welch_test([mean1, variance1, count1, mean2, variance2, count2]: [f64; 6]) -> f64 {
    let (first, second) = (variance1 / count1, variance2 / count2);
    let t = (mean1 - mean2) / (first + second).sqrt();
    let freedom =
        (first + second).powi(2) / (first * first / (count1 - 1.0) + second * second / (count2 - 1.0));
    if t.is_nan() || freedom.is_nan() || freedom <= 0.0 {
        return f64::NAN;
    }
    incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}
