use super::super::{Heap, Hints, Mapped, recover};
use super::*;
use crate::mapping::create_arena;
use crate::sync::Thread;
use crate::wire::arena::{ArenaLayout, CLASSES, PAGE_BYTES};

/// An arena for three, who use the map of maps as if it were any other: the blocks in it are no maps, and are taken for none.
struct World {
    memory: Mapped,
    hints: Hints,
}

impl World {
    fn new() -> Self {
        let layout = ArenaLayout::new(1 << 16, 3, PAGE_BYTES).unwrap();
        let memory = create_arena(layout, false).unwrap();
        memory.initialise(7);
        Self { memory, hints: Hints::new(CLASSES.len()) }
    }

    fn entries(&self, owner: u16) -> Entries<'_, Mapped> {
        Entries::root(Hand::new(&self.memory, owner), 7)
    }

    fn block(&self, owner: u16) -> Block {
        Heap::new(Hand::new(&self.memory, owner), &self.hints, None, Thread::numbered()).alloc(1).unwrap()
    }
}

/// Writes an entry and proposes it, as `insert` does.
fn propose<'m>(by: Entries<'m, Mapped>, key: &[u8], block: Block) -> (Cell<'m>, CellWord, CellWord) {
    let key = by.key(key);
    let (_, cell, begun) = by.begin(key).unwrap();
    cell.write(key, Value { unit: block.unit, generation: block.word.generation(), len: 64 });
    assert!(by.hand.keep(block));
    let proposed = begun.to(CellState::Proposed, by.hand.owner);
    cell.state().store(proposed.word(), Ordering::Relaxed);
    (cell, begun, proposed)
}

#[test]
fn who_dies_in_a_cell_before_writing_takes_nobodys_block_along() {
    let world = World::new();
    let [one, two, dead] = [0, 1, 2].map(|owner| world.entries(owner));
    let block = world.block(0);
    let (cell, begun, proposed) = propose(one, b"key", block);
    assert!(two.refuse(cell, two.key(b"key")));
    assert!(!one.confirm(cell, proposed));
    one.take_back(cell, begun);
    // The cell is free. Somebody takes it, and dies; the block is put into another.
    let (index, ..) = dead.begin(dead.key(b"key")).unwrap();
    one.insert(b"key", block, 64).unwrap();
    recover(&world.memory, 2, 7);
    assert_eq!(one.table.cell(index).unwrap().load(Ordering::Relaxed).state(), CellState::Free);
    let (index, _) = two.hold(b"key").unwrap();
    assert!(two.hand.is_kept(two.value(index).unwrap()), "a block that is held was freed");
}

#[test]
fn who_holds_a_value_knows_what_has_happened_to_it_until_then() {
    let world = World::new();
    let [one, two, dead] = [0, 1, 2].map(|owner| world.entries(owner));
    one.insert(b"key", world.block(0), 64).unwrap();
    let (index, cell, found) = two.find(two.key(b"key")).unwrap();
    assert!(!found.is_torn());
    dead.exclusive(b"key").unwrap();
    recover(&world.memory, 2, 7);
    let held = two.hold_cell(index, cell, found).unwrap();
    assert!(held.is_torn(), "half written, and said to be whole");
}
