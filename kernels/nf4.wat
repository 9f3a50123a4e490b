;; NF4: 4-bit codes to float32 and back, 64 weights per block, exact.
;;
;; A float32 of the 16-entry code book is four bytes, so the code book is held as four byte planes, one v128 each, and
;; i8x16.swizzle looks sixteen codes up in a plane at once. Two rounds of interleaving put the bytes together again.
(module
  (import "kernel" "memory" (memory 1))

  (global $unit v128 (v128.const f32x4 384 384 384 384))
  (global $cell v128 (v128.const i32x4 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f))
  (global $four_bits v128 (v128.const i16x8 0xf0 0xf0 0xf0 0xf0 0xf0 0xf0 0xf0 0xf0))

  ;; $codes:  2 codes per byte, the first in the upper half; 32 bytes per block
  ;; $absmax: one float32 per block
  ;; $out:    64 float32 per block
  ;; $planes: four planes of 16 bytes, plane b holding byte b of each code book entry
  (func (export "dequantise") (param $codes i32) (param $absmax i32) (param $out i32) (param $blocks i32) (param $planes i32)
    (local $plane0 v128) (local $plane1 v128) (local $plane2 v128) (local $plane3 v128)
    (local $byte0 v128) (local $byte1 v128) (local $byte2 v128) (local $byte3 v128)
    (local $low v128) (local $high v128) (local $scale v128)
    (local $packed v128) (local $upper v128) (local $lower v128) (local $index v128)
    (local $half i32)
    (local.set $plane0 (v128.load (local.get $planes)))
    (local.set $plane1 (v128.load offset=16 (local.get $planes)))
    (local.set $plane2 (v128.load offset=32 (local.get $planes)))
    (local.set $plane3 (v128.load offset=48 (local.get $planes)))
    (loop $block
      (local.set $scale (v128.load32_splat (local.get $absmax)))
      (local.set $half (i32.const 2))
      (loop $half_block
        (local.set $packed (v128.load (local.get $codes)))
        (local.set $upper (i8x16.shr_u (local.get $packed) (i32.const 4)))
        (local.set $lower (v128.and (local.get $packed) (v128.const i32x4 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f)))

        ;; Weights 0 to 15 of this half block
        (local.set $index (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $upper) (local.get $lower)))
        (local.set $byte0 (i8x16.swizzle (local.get $plane0) (local.get $index)))
        (local.set $byte1 (i8x16.swizzle (local.get $plane1) (local.get $index)))
        (local.set $byte2 (i8x16.swizzle (local.get $plane2) (local.get $index)))
        (local.set $byte3 (i8x16.swizzle (local.get $plane3) (local.get $index)))
        (local.set $low (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte0) (local.get $byte1)))
        (local.set $high (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte2) (local.get $byte3)))
        (v128.store offset=0 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
        (v128.store offset=16 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))
        (local.set $low (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte0) (local.get $byte1)))
        (local.set $high (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte2) (local.get $byte3)))
        (v128.store offset=32 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
        (v128.store offset=48 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))

        ;; Weights 16 to 31 of this half block
        (local.set $index (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $upper) (local.get $lower)))
        (local.set $byte0 (i8x16.swizzle (local.get $plane0) (local.get $index)))
        (local.set $byte1 (i8x16.swizzle (local.get $plane1) (local.get $index)))
        (local.set $byte2 (i8x16.swizzle (local.get $plane2) (local.get $index)))
        (local.set $byte3 (i8x16.swizzle (local.get $plane3) (local.get $index)))
        (local.set $low (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte0) (local.get $byte1)))
        (local.set $high (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte2) (local.get $byte3)))
        (v128.store offset=64 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
        (v128.store offset=80 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))
        (local.set $low (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte0) (local.get $byte1)))
        (local.set $high (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte2) (local.get $byte3)))
        (v128.store offset=96 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
        (v128.store offset=112 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))

        (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
        (local.set $out (i32.add (local.get $out) (i32.const 128)))
        (br_if $half_block (local.tee $half (i32.sub (local.get $half) (i32.const 1)))))
      (local.set $absmax (i32.add (local.get $absmax) (i32.const 4)))
      (br_if $block (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1))))))

  ;; Blocks of 16 rows next to each other as columns of 16 values: what "dequantise" gives, laid out as a tile.
  ;;
  ;; $codes, $absmax: as above, of the first row; the next rows follow after $row blocks each
  ;; $out:            64 times 16 float32 per block
  ;; $scratch:        576 bytes
  ;;
  ;; Sixteen bytes of each row are transposed before anything is looked up, two codes at a time: interleaving rows i and
  ;; i + 8 rotates the eight bits of (row, byte) by one, so that four rounds exchange the two.
  (func (export "dequantiseTile")
    (param $codes i32) (param $absmax i32) (param $out i32) (param $blocks i32) (param $row i32) (param $planes i32) (param $scratch i32)
    (local $plane0 v128) (local $plane1 v128) (local $plane2 v128) (local $plane3 v128)
    (local $scale0 v128) (local $scale1 v128) (local $scale2 v128) (local $scale3 v128)
    (local $byte0 v128) (local $byte1 v128) (local $byte2 v128) (local $byte3 v128)
    (local $low v128) (local $high v128) (local $index v128) (local $lower v128) (local $a v128) (local $b v128)
    (local $stride i32) (local $step i32) (local $half i32) (local $at i32) (local $end i32)
    (local $from i32) (local $to i32) (local $round i32) (local $left i32)
    (local.set $plane0 (v128.load (local.get $planes)))
    (local.set $plane1 (v128.load offset=16 (local.get $planes)))
    (local.set $plane2 (v128.load offset=32 (local.get $planes)))
    (local.set $plane3 (v128.load offset=48 (local.get $planes)))
    (local.set $stride (i32.shl (local.get $row) (i32.const 5)))
    (local.set $step (i32.shl (local.get $row) (i32.const 2)))
    (loop $block
      ;; The constants of the 16 rows, side by side
      (local.set $from (local.get $absmax))
      (local.set $to (i32.add (local.get $scratch) (i32.const 512)))
      (local.set $end (i32.add (local.get $to) (i32.const 64)))
      (loop $constant
        (i32.store (local.get $to) (i32.load (local.get $from)))
        (local.set $from (i32.add (local.get $from) (local.get $step)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (br_if $constant (i32.lt_u (local.get $to) (local.get $end))))
      (local.set $scale0 (v128.load offset=512 (local.get $scratch)))
      (local.set $scale1 (v128.load offset=528 (local.get $scratch)))
      (local.set $scale2 (v128.load offset=544 (local.get $scratch)))
      (local.set $scale3 (v128.load offset=560 (local.get $scratch)))

      (local.set $half (i32.const 2))
      (loop $half_block
        ;; The first round reads the rows
        (local.set $from (local.get $codes))
        (local.set $to (local.get $scratch))
        (local.set $end (i32.add (local.get $scratch) (i32.const 256)))
        (loop $pair
          (local.set $a (v128.load (local.get $from)))
          (local.set $b (v128.load (i32.add (local.get $from) (i32.shl (local.get $stride) (i32.const 3)))))
          (v128.store (local.get $to)
            (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $a) (local.get $b)))
          (v128.store offset=16 (local.get $to)
            (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $a) (local.get $b)))
          (local.set $from (i32.add (local.get $from) (local.get $stride)))
          (local.set $to (i32.add (local.get $to) (i32.const 32)))
          (br_if $pair (i32.lt_u (local.get $to) (local.get $end))))
        ;; Three more between the two halves of the scratch memory; the result is in the second
        (local.set $from (local.get $scratch))
        (local.set $round (i32.const 3))
        (loop $rounds
          (local.set $to (i32.add (local.get $scratch) (i32.and (i32.shl (local.get $round) (i32.const 8)) (i32.const 256))))
          (local.set $end (i32.add (local.get $from) (i32.const 128)))
          (loop $pair
            (local.set $a (v128.load (local.get $from)))
            (local.set $b (v128.load offset=128 (local.get $from)))
            (v128.store (local.get $to)
              (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $a) (local.get $b)))
            (v128.store offset=16 (local.get $to)
              (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $a) (local.get $b)))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $to (i32.add (local.get $to) (i32.const 32)))
            (br_if $pair (i32.lt_u (local.get $from) (local.get $end))))
          (local.set $from (i32.sub (local.get $to) (i32.const 256)))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br_if $rounds (local.get $round)))

        ;; Two columns of each 16 bytes
        (local.set $at (i32.add (local.get $scratch) (i32.const 256)))
        (local.set $end (i32.add (local.get $scratch) (i32.const 512)))
        (loop $columns
          (local.set $a (v128.load (local.get $at)))
          (local.set $index (i8x16.shr_u (local.get $a) (i32.const 4)))
          (local.set $lower (v128.and (local.get $a) (v128.const i32x4 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f)))
          (local.set $left (i32.const 2))
          (loop $column
            (local.set $byte0 (i8x16.swizzle (local.get $plane0) (local.get $index)))
            (local.set $byte1 (i8x16.swizzle (local.get $plane1) (local.get $index)))
            (local.set $byte2 (i8x16.swizzle (local.get $plane2) (local.get $index)))
            (local.set $byte3 (i8x16.swizzle (local.get $plane3) (local.get $index)))
            (local.set $low (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte0) (local.get $byte1)))
            (local.set $high (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte2) (local.get $byte3)))
            (v128.store offset=0 (local.get $out)
              (f32x4.mul (local.get $scale0) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
            (v128.store offset=16 (local.get $out)
              (f32x4.mul (local.get $scale1) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))
            (local.set $low (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte0) (local.get $byte1)))
            (local.set $high (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte2) (local.get $byte3)))
            (v128.store offset=32 (local.get $out)
              (f32x4.mul (local.get $scale2) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
            (v128.store offset=48 (local.get $out)
              (f32x4.mul (local.get $scale3) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))
            (local.set $out (i32.add (local.get $out) (i32.const 64)))
            (local.set $index (local.get $lower))
            (br_if $column (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $columns (i32.lt_u (local.get $at) (local.get $end))))

        (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
        (local.set $half (i32.sub (local.get $half) (i32.const 1)))
        (br_if $half_block (local.get $half)))
      (local.set $absmax (i32.add (local.get $absmax) (i32.const 4)))
      (local.set $blocks (i32.sub (local.get $blocks) (i32.const 1)))
      (br_if $block (local.get $blocks))))

  ;; The reverse: the nearest of the 16 codes of each weight, for whole blocks of float32 (aligned to 16). A code is the number of
  ;; bounds below the weight, which is divided by its block's absmax as bitsandbytes does it: times 1/absmax in float32.
  ;; $bounds: the 15 float32 between neighbours of the code book; $tiny: what absmax is at least
  ;; $cells:  five tables of 16 bytes (see src/compute/models/weights/nf4-cells.ts): a weight in units of 2^-15 is an int16, whose upper
  ;;          four bits tell how many bounds are below, and two more, lower and upper bytes, that it may be above. The order of two
  ;;          such integers is that of what they were made of, so that only a weight equal to one of them is compared itself.
  ;; Returns the largest absmax as bits: 0x7f800000 or more where a weight is not finite.
  (func (export "quantise")
    (param $in i32) (param $codes i32) (param $absmax i32) (param $blocks i32) (param $bounds i32) (param $tiny f32) (param $cells i32) (result i32)
    (local $most v128) (local $largest i32) (local $bits i32) (local $inverse v128) (local $part i32) (local $bound i32) (local $end i32)
    (local $x v128) (local $y v128) (local $z v128) (local $u v128) (local $b v128)
    (local $cx v128) (local $cy v128) (local $cz v128) (local $cu v128)
    (local $first v128) (local $second v128) (local $index v128) (local $lower v128) (local $upper v128)
    (local $one v128) (local $two v128) (local $three v128) (local $four v128) (local $code v128)
    (local $below v128) (local $lower0 v128) (local $upper0 v128) (local $lower1 v128) (local $upper1 v128)
    (local.set $below (v128.load (local.get $cells)))
    (local.set $lower0 (v128.load offset=16 (local.get $cells)))
    (local.set $upper0 (v128.load offset=32 (local.get $cells)))
    (local.set $lower1 (v128.load offset=48 (local.get $cells)))
    (local.set $upper1 (v128.load offset=64 (local.get $cells)))
    (local.set $end (i32.add (local.get $bounds) (i32.const 60)))
    (loop $block
      ;; bits of positive float32 are in the order of their values
      (local.set $most (f32x4.abs (v128.load (local.get $in))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=16 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=32 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=48 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=64 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=80 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=96 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=112 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=128 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=144 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=160 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=176 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=192 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=208 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=224 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (f32x4.abs (v128.load offset=240 (local.get $in)))))
      (local.set $most (i32x4.max_u (local.get $most) (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $most) (local.get $most))))
      (local.set $most (i32x4.max_u (local.get $most) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $most) (local.get $most))))
      (local.set $bits (i32x4.extract_lane 0 (local.get $most)))
      (local.set $largest (select (local.get $bits) (local.get $largest) (i32.gt_u (local.get $bits) (local.get $largest))))
      (i32.store (local.get $absmax) (local.get $bits))
      (local.set $inverse (f32x4.splat (f32.div (f32.const 1) (f32.max (f32.reinterpret_i32 (local.get $bits)) (local.get $tiny)))))
      (local.set $part (i32.const 4))
      (loop $sixteen
        (local.set $x (f32x4.mul (v128.load (local.get $in)) (local.get $inverse)))
        (local.set $y (f32x4.mul (v128.load offset=16 (local.get $in)) (local.get $inverse)))
        (local.set $z (f32x4.mul (v128.load offset=32 (local.get $in)) (local.get $inverse)))
        (local.set $u (f32x4.mul (v128.load offset=48 (local.get $in)) (local.get $inverse)))
        ;; 2^-15 is the last bit of 384
        (local.set $first (i16x8.narrow_i32x4_s
          (i32x4.sub (f32x4.add (local.get $x) (global.get $unit)) (global.get $unit))
          (i32x4.sub (f32x4.add (local.get $y) (global.get $unit)) (global.get $unit))))
        (local.set $second (i16x8.narrow_i32x4_s
          (i32x4.sub (f32x4.add (local.get $z) (global.get $unit)) (global.get $unit))
          (i32x4.sub (f32x4.add (local.get $u) (global.get $unit)) (global.get $unit))))
        (local.set $index (v128.and (global.get $cell) (i8x16.narrow_i16x8_s
          (i16x8.shr_s (local.get $first) (i32.const 12)) (i16x8.shr_s (local.get $second) (i32.const 12)))))
        (local.set $lower (i8x16.swizzle (local.get $lower0) (local.get $index)))
        (local.set $upper (i8x16.swizzle (local.get $upper0) (local.get $index)))
        (local.set $one (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $lower) (local.get $upper)))
        (local.set $two (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $lower) (local.get $upper)))
        (local.set $lower (i8x16.swizzle (local.get $lower1) (local.get $index)))
        (local.set $upper (i8x16.swizzle (local.get $upper1) (local.get $index)))
        (local.set $three (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $lower) (local.get $upper)))
        (local.set $four (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $lower) (local.get $upper)))
        (local.set $code (i8x16.sub (i8x16.swizzle (local.get $below) (local.get $index)) (i8x16.narrow_i16x8_s
          (i16x8.add (i16x8.gt_s (local.get $first) (local.get $one)) (i16x8.gt_s (local.get $first) (local.get $three)))
          (i16x8.add (i16x8.gt_s (local.get $second) (local.get $two)) (i16x8.gt_s (local.get $second) (local.get $four))))))
        (if (v128.any_true (v128.or
            (v128.or (i16x8.eq (local.get $first) (local.get $one)) (i16x8.eq (local.get $first) (local.get $three)))
            (v128.or (i16x8.eq (local.get $second) (local.get $two)) (i16x8.eq (local.get $second) (local.get $four)))))
          (then
            (local.set $cx (v128.const i32x4 0 0 0 0))
            (local.set $cy (v128.const i32x4 0 0 0 0))
            (local.set $cz (v128.const i32x4 0 0 0 0))
            (local.set $cu (v128.const i32x4 0 0 0 0))
            (local.set $bound (local.get $bounds))
            (loop $next
              (local.set $b (v128.load32_splat (local.get $bound)))
              (local.set $cx (i32x4.sub (local.get $cx) (f32x4.gt (local.get $x) (local.get $b))))
              (local.set $cy (i32x4.sub (local.get $cy) (f32x4.gt (local.get $y) (local.get $b))))
              (local.set $cz (i32x4.sub (local.get $cz) (f32x4.gt (local.get $z) (local.get $b))))
              (local.set $cu (i32x4.sub (local.get $cu) (f32x4.gt (local.get $u) (local.get $b))))
              (br_if $next (i32.lt_u (local.tee $bound (i32.add (local.get $bound) (i32.const 4))) (local.get $end))))
            (local.set $code (i8x16.narrow_i16x8_s
              (i16x8.narrow_i32x4_s (local.get $cx) (local.get $cy)) (i16x8.narrow_i32x4_s (local.get $cz) (local.get $cu))))))
        ;; sixteen codes, two in each byte
        (local.set $code (v128.or
          (i16x8.shr_u (local.get $code) (i32.const 8))
          (v128.and (i16x8.shl (local.get $code) (i32.const 4)) (global.get $four_bits))))
        (v128.store64_lane 0 (local.get $codes) (i8x16.narrow_i16x8_u (local.get $code) (local.get $code)))
        (local.set $in (i32.add (local.get $in) (i32.const 64)))
        (local.set $codes (i32.add (local.get $codes) (i32.const 8)))
        (br_if $sixteen (local.tee $part (i32.sub (local.get $part) (i32.const 1)))))
      (local.set $absmax (i32.add (local.get $absmax) (i32.const 4)))
      (br_if $block (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1)))))
    (local.get $largest)))
