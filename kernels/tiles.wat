;; Rows of a matrix laid out as a tile: the values of all rows in a column next to each other.
(module
  (import "kernel" "memory" (memory 1))

  ;; $from:    $rows rows of $columns float32, one after another
  ;; $to:      $columns times $rows float32
  ;; $columns, $rows: multiples of 4
  (func (export "turn") (param $from i32) (param $to i32) (param $columns i32) (param $rows i32)
    (local $stride i32) (local $width i32) (local $end i32) (local $in i32) (local $out i32) (local $row i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $ab v128) (local $cd v128)
    (local.set $stride (i32.shl (local.get $columns) (i32.const 2)))
    (local.set $width (i32.shl (local.get $rows) (i32.const 2)))
    (local.set $end (i32.add (local.get $from) (local.get $stride)))
    (loop $column
      (local.set $in (local.get $from))
      (local.set $out (local.get $to))
      (local.set $row (i32.const 0))
      (loop $four
        (local.set $a (v128.load (local.get $in)))
        (local.set $in (i32.add (local.get $in) (local.get $stride)))
        (local.set $b (v128.load (local.get $in)))
        (local.set $in (i32.add (local.get $in) (local.get $stride)))
        (local.set $c (v128.load (local.get $in)))
        (local.set $in (i32.add (local.get $in) (local.get $stride)))
        (local.set $d (v128.load (local.get $in)))
        (local.set $in (i32.add (local.get $in) (local.get $stride)))
        ;; the first two columns of the four, then the last two
        (local.set $ab (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
        (local.set $cd (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
        (v128.store (local.get $out)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
        (v128.store (i32.add (local.get $out) (local.get $width))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
        (local.set $ab (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
        (local.set $cd (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
        (v128.store (i32.add (local.get $out) (i32.shl (local.get $width) (i32.const 1)))
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
        (v128.store (i32.add (local.get $out) (i32.mul (local.get $width) (i32.const 3)))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
        (local.set $out (i32.add (local.get $out) (i32.const 16)))
        (local.set $row (i32.add (local.get $row) (i32.const 4)))
        (br_if $four (i32.lt_u (local.get $row) (local.get $rows))))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $width) (i32.const 2))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $column (i32.lt_u (local.get $from) (local.get $end))))))
