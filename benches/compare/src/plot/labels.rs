//! Labels beside the ends of lines, moved apart where lines end close to each other.

/// Places for labels that would like to be at `wanted`, at least `apart` from each other, from `top` to `bottom` as far as there
/// is room. In the order of `wanted`.
pub fn spread(wanted: &[i32], apart: i32, top: i32, bottom: i32) -> Vec<i32> {
    let mut order: Vec<_> = (0..wanted.len()).collect();
    order.sort_by_key(|&nth| wanted[nth]);
    let mut places = wanted.to_vec();
    // Downwards, so that none covers the one above; then upwards, so that none is below the bottom.
    let mut free = top;
    for &nth in &order {
        places[nth] = places[nth].max(free);
        free = places[nth] + apart;
    }
    let mut free = bottom;
    for &nth in order.iter().rev() {
        places[nth] = places[nth].min(free);
        free = places[nth] - apart;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn labels_that_do_not_collide_stay_where_they_are() {
        assert_eq!(spread(&[30, 10, 60], 10, 0, 100), [30, 10, 60]);
    }

    #[test]
    fn labels_that_collide_are_moved_apart_and_keep_their_order() {
        assert_eq!(spread(&[50, 51, 49], 10, 0, 100), [59, 69, 49]);
    }

    #[test]
    fn labels_stay_above_the_bottom() {
        assert_eq!(spread(&[98, 99, 100], 10, 0, 100), [80, 90, 100]);
    }
}
