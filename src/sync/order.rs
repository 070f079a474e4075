//! Parents before children, as far as the foreign keys have no circle.

use crate::model::catalogue::TargetTable;

/// Puts positions of tables in an order in which each comes behind those that it refers to.
pub(super) fn parents_first(tables: &[&TargetTable]) -> Vec<usize> {
    let position = |relid: u32| tables.iter().position(|table| table.relid == relid);
    let (mut order, mut state) = (Vec::new(), vec![0_u8; tables.len()]);
    for root in 0..tables.len() {
        // Without recursion: a chain of tables may be long.
        let mut open = vec![(root, false)];
        while let Some((at, is_done)) = open.pop() {
            if is_done {
                order.push(at);
                continue;
            }
            if state[at] != 0 {
                continue;
            }
            state[at] = 1;
            open.push((at, true));
            let parents = tables[at].foreign_keys.iter().filter_map(|key| {
                let parent = position(key.parent_relid)?;
                (state[parent] == 0).then_some((parent, false))
            });
            open.extend(parents);
        }
    }
    order
}
