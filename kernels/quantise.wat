;; Float32 to GGML's block formats, as ggml's plain C does it (ggml-org/ggml, ggml-quants.c, quantize_row_*_ref): every
;; sum is added up in the same order, so that the bytes are the same. Values of formats in blocks are finite.
;;
;; Each export takes $in (float32, aligned to 16), $out (blocks), $count (blocks, at least one) and $work (4 KiB).
(module
  (import "kernel" "memory" (memory 1))

  ;; The nearest float16, ties to even, as its bits.
  (func $half (param $value f32) (result i32)
    (local $bits i32) (local $size i32)
    (local.set $bits (i32.reinterpret_f32 (local.get $value)))
    (local.set $size (i32.and (local.get $bits) (i32.const 0x7fffffff)))
    (i32.or
      (i32.and (i32.shr_u (local.get $bits) (i32.const 16)) (i32.const 0x8000))
      (if (result i32) (i32.ge_u (local.get $size) (i32.const 0x477ff000))
        (then (i32.const 0x7c00))
        (else
          (if (result i32) (i32.ge_u (local.get $size) (i32.const 0x38800000))
            (then (i32.shr_u
              (i32.add (i32.add (i32.sub (local.get $size) (i32.const 0x38000000)) (i32.const 0xfff))
                (i32.and (i32.shr_u (local.get $size) (i32.const 13)) (i32.const 1)))
              (i32.const 13)))
            (else (i32.trunc_f32_u (f32.nearest (f32.mul (f32.abs (local.get $value)) (f32.const 0x1p24))))))))))

  ;; Back to float32: an exponent that is moved by 13 bits is 112 too small.
  (func $float (param $bits i32) (result f32)
    (f32.copysign
      (f32.mul (f32.const 0x1p112) (f32.reinterpret_i32 (i32.shl (i32.and (local.get $bits) (i32.const 0x7fff)) (i32.const 13))))
      (f32.reinterpret_i32 (i32.shl (local.get $bits) (i32.const 16)))))

  ;; 1/x, or 0 for 0.
  (func $inverse (param $value f32) (result f32)
    (select (f32.const 0) (f32.div (f32.const 1) (local.get $value)) (f32.eq (local.get $value) (f32.const 0))))

  ;; Smallest and largest of 32 values: of two zeros, either.
  (func $range (param $in i32) (result f32 f32)
    (local $x v128) (local $low v128) (local $high v128)
    (local.set $low (v128.load (local.get $in)))
    (local.set $high (local.get $low))
    (local.set $x (v128.load offset=16 (local.get $in)))
    (local.set $low (f32x4.pmin (local.get $low) (local.get $x)))
    (local.set $high (f32x4.pmax (local.get $high) (local.get $x)))
    (local.set $x (v128.load offset=32 (local.get $in)))
    (local.set $low (f32x4.pmin (local.get $low) (local.get $x)))
    (local.set $high (f32x4.pmax (local.get $high) (local.get $x)))
    (local.set $x (v128.load offset=48 (local.get $in)))
    (local.set $low (f32x4.pmin (local.get $low) (local.get $x)))
    (local.set $high (f32x4.pmax (local.get $high) (local.get $x)))
    (local.set $x (v128.load offset=64 (local.get $in)))
    (local.set $low (f32x4.pmin (local.get $low) (local.get $x)))
    (local.set $high (f32x4.pmax (local.get $high) (local.get $x)))
    (local.set $x (v128.load offset=80 (local.get $in)))
    (local.set $low (f32x4.pmin (local.get $low) (local.get $x)))
    (local.set $high (f32x4.pmax (local.get $high) (local.get $x)))
    (local.set $x (v128.load offset=96 (local.get $in)))
    (local.set $low (f32x4.pmin (local.get $low) (local.get $x)))
    (local.set $high (f32x4.pmax (local.get $high) (local.get $x)))
    (local.set $x (v128.load offset=112 (local.get $in)))
    (local.set $low (f32x4.pmin (local.get $low) (local.get $x)))
    (local.set $high (f32x4.pmax (local.get $high) (local.get $x)))
    (local.set $low (f32x4.pmin (local.get $low)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $low) (local.get $low))))
    (local.set $high (f32x4.pmax (local.get $high)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $high) (local.get $high))))
    (f32x4.extract_lane 0 (f32x4.pmin (local.get $low) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $low) (local.get $low))))
    (f32x4.extract_lane 0 (f32x4.pmax (local.get $high) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $high) (local.get $high)))))

  ;; The first of the 32 values of this magnitude.
  (func $first (param $in i32) (param $size f32) (result f32)
    (local $value f32)
    (loop $next (result f32)
      (local.set $value (f32.load (local.get $in)))
      (local.set $in (i32.add (local.get $in) (i32.const 4)))
      (br_if $next (f32.ne (f32.abs (local.get $value)) (local.get $size)))
      (local.get $value)))

  ;; The first of the 32 values whose magnitude is the largest; 0 if all are.
  (func $extreme (param $in i32) (result f32)
    (local $low f32) (local $high f32)
    (call $range (local.get $in))
    (local.set $high)
    (local.set $low)
    (if (f32.eq (f32.neg (local.get $low)) (local.get $high))
      (then (return (f32.add (f32.const 0) (call $first (local.get $in) (local.get $high))))))
    (select (local.get $low) (local.get $high) (f32.gt (f32.neg (local.get $low)) (local.get $high))))

  ;; Sixteen int32 as bytes.
  (func $bytes (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
    (i8x16.narrow_i16x8_s
      (i16x8.narrow_i32x4_s (local.get $a) (local.get $b))
      (i16x8.narrow_i32x4_s (local.get $c) (local.get $d))))

  ;; Sixteen codes: the whole part of (x − minimum)·inverse + middle, at most $most.
  (func $codes (param $in i32) (param $minimum v128) (param $inverse v128) (param $middle v128) (param $most i32) (result v128)
    (i8x16.min_u (i8x16.splat (local.get $most)) (call $bytes
      (i32x4.trunc_sat_f32x4_s (f32x4.add (local.get $middle) (f32x4.mul (local.get $inverse)
        (f32x4.sub (v128.load offset=0 (local.get $in)) (local.get $minimum)))))
      (i32x4.trunc_sat_f32x4_s (f32x4.add (local.get $middle) (f32x4.mul (local.get $inverse)
        (f32x4.sub (v128.load offset=16 (local.get $in)) (local.get $minimum)))))
      (i32x4.trunc_sat_f32x4_s (f32x4.add (local.get $middle) (f32x4.mul (local.get $inverse)
        (f32x4.sub (v128.load offset=32 (local.get $in)) (local.get $minimum)))))
      (i32x4.trunc_sat_f32x4_s (f32x4.add (local.get $middle) (f32x4.mul (local.get $inverse)
        (f32x4.sub (v128.load offset=48 (local.get $in)) (local.get $minimum))))))))

  ;; 32 codes as pairs of 4 bits at $out; returns the fifth bits.
  (func $pairs (param $in i32) (param $out i32) (param $minimum f32) (param $inverse f32) (param $middle f32) (param $most i32) (result i32)
    (local $low v128) (local $high v128)
    (local.set $low (call $codes (local.get $in) (f32x4.splat (local.get $minimum)) (f32x4.splat (local.get $inverse))
      (f32x4.splat (local.get $middle)) (local.get $most)))
    (local.set $high (call $codes (i32.add (local.get $in) (i32.const 64)) (f32x4.splat (local.get $minimum))
      (f32x4.splat (local.get $inverse)) (f32x4.splat (local.get $middle)) (local.get $most)))
    (v128.store align=1 (local.get $out) (v128.or
      (v128.and (local.get $low) (i8x16.splat (i32.const 15)))
      (i8x16.shl (local.get $high) (i32.const 4))))
    (i32.or
      (i8x16.bitmask (i8x16.shl (local.get $low) (i32.const 3)))
      (i32.shl (i8x16.bitmask (i8x16.shl (local.get $high) (i32.const 3))) (i32.const 16))))

  (func (export "Q4_0") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (local $scale f32)
    (loop $block
      (local.set $scale (f32.div (call $extreme (local.get $in)) (f32.const -8)))
      (i32.store16 align=1 (local.get $out) (call $half (local.get $scale)))
      (drop (call $pairs (local.get $in) (i32.add (local.get $out) (i32.const 2)) (f32.const 0)
        (call $inverse (local.get $scale)) (f32.const 8.5) (i32.const 15)))
      (local.set $in (i32.add (local.get $in) (i32.const 128)))
      (local.set $out (i32.add (local.get $out) (i32.const 18)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  (func (export "Q5_0") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (local $scale f32)
    (loop $block
      (local.set $scale (f32.div (call $extreme (local.get $in)) (f32.const -16)))
      (i32.store16 align=1 (local.get $out) (call $half (local.get $scale)))
      (i32.store offset=2 align=1 (local.get $out)
        (call $pairs (local.get $in) (i32.add (local.get $out) (i32.const 6)) (f32.const 0)
          (call $inverse (local.get $scale)) (f32.const 16.5) (i32.const 31)))
      (local.set $in (i32.add (local.get $in) (i32.const 128)))
      (local.set $out (i32.add (local.get $out) (i32.const 22)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; Scale and minimum of a block as float16 at $out. Returns the inverse of the scale.
  (func $scaled (param $out i32) (param $least f32) (param $largest f32) (param $most f32) (result f32)
    (local $scale f32)
    (local.set $scale (f32.div (f32.sub (local.get $largest) (local.get $least)) (local.get $most)))
    (i32.store16 align=1 (local.get $out) (call $half (local.get $scale)))
    (i32.store16 offset=2 align=1 (local.get $out) (call $half (local.get $least)))
    (call $inverse (local.get $scale)))

  (func (export "Q4_1") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (local $least f32) (local $most f32)
    (loop $block
      (call $range (local.get $in))
      (local.set $most)
      (local.set $least)
      (if (f32.eq (local.get $least) (f32.const 0)) (then (local.set $least (call $first (local.get $in) (f32.const 0)))))
      (drop (call $pairs (local.get $in) (i32.add (local.get $out) (i32.const 4)) (local.get $least)
        (call $scaled (local.get $out) (local.get $least) (local.get $most) (f32.const 15)) (f32.const 0.5) (i32.const 15)))
      (local.set $in (i32.add (local.get $in) (i32.const 128)))
      (local.set $out (i32.add (local.get $out) (i32.const 20)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  (func (export "Q5_1") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (local $least f32) (local $most f32)
    (loop $block
      (call $range (local.get $in))
      (local.set $most)
      (local.set $least)
      (if (f32.eq (local.get $least) (f32.const 0)) (then (local.set $least (call $first (local.get $in) (f32.const 0)))))
      (i32.store offset=4 align=1 (local.get $out)
        (call $pairs (local.get $in) (i32.add (local.get $out) (i32.const 8)) (local.get $least)
          (call $scaled (local.get $out) (local.get $least) (local.get $most) (f32.const 31)) (f32.const 0.5) (i32.const 31)))
      (local.set $in (i32.add (local.get $in) (i32.const 128)))
      (local.set $out (i32.add (local.get $out) (i32.const 24)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; Four values times $inverse as int32: the nearest, halves away from zero.
  (func $rounded (param $value v128) (param $inverse v128) (result v128)
    (local $whole v128)
    (local.set $value (f32x4.mul (local.get $value) (local.get $inverse)))
    (local.set $whole (f32x4.trunc (local.get $value)))
    (i32x4.trunc_sat_f32x4_s (f32x4.add (local.get $whole) (v128.and
      (f32x4.ge (f32x4.abs (f32x4.sub (local.get $value) (local.get $whole))) (f32x4.splat (f32.const 0.5)))
      (v128.or
        (v128.and (local.get $value) (i32x4.splat (i32.const 0x80000000)))
        (f32x4.splat (f32.const 1)))))))

  (func (export "Q8_0") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (local $scale f32) (local $inverse v128)
    (loop $block
      (local.set $scale (f32.div (f32.abs (call $extreme (local.get $in))) (f32.const 127)))
      (local.set $inverse (f32x4.splat (call $inverse (local.get $scale))))
      (i32.store16 align=1 (local.get $out) (call $half (local.get $scale)))
      (v128.store offset=2 align=1 (local.get $out) (call $bytes
        (call $rounded (v128.load offset=0 (local.get $in)) (local.get $inverse))
        (call $rounded (v128.load offset=16 (local.get $in)) (local.get $inverse))
        (call $rounded (v128.load offset=32 (local.get $in)) (local.get $inverse))
        (call $rounded (v128.load offset=48 (local.get $in)) (local.get $inverse))))
      (v128.store offset=18 align=1 (local.get $out) (call $bytes
        (call $rounded (v128.load offset=64 (local.get $in)) (local.get $inverse))
        (call $rounded (v128.load offset=80 (local.get $in)) (local.get $inverse))
        (call $rounded (v128.load offset=96 (local.get $in)) (local.get $inverse))
        (call $rounded (v128.load offset=112 (local.get $in)) (local.get $inverse))))
      (local.set $in (i32.add (local.get $in) (i32.const 128)))
      (local.set $out (i32.add (local.get $out) (i32.const 34)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; K formats: 256 values in groups of 32 or 16, each of which looks for its best scale. Four groups are computed at a
  ;; time, one per lane: the sums of each are then added up in the order of its values.

  ;; Value i of four groups that are $stride bytes apart, one after the other at $to: `bytes` is how long a group is.
  (func $lanes (param $in i32) (param $stride i32) (param $to i32)
    (local $end i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $ab v128) (local $cd v128)
    (local.set $end (i32.add (local.get $in) (local.get $stride)))
    (loop $next
      (local.set $a (v128.load (local.get $in)))
      (local.set $b (v128.load (i32.add (local.get $in) (local.get $stride))))
      (local.set $c (v128.load (i32.add (local.get $in) (i32.shl (local.get $stride) (i32.const 1)))))
      (local.set $d (v128.load (i32.add (local.get $in) (i32.mul (local.get $stride) (i32.const 3)))))
      (local.set $ab (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
      (local.set $cd (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
      (v128.store offset=0 (local.get $to) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
      (v128.store offset=16 (local.get $to) (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
      (local.set $ab (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
      (local.set $cd (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
      (v128.store offset=32 (local.get $to) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
      (v128.store offset=48 (local.get $to) (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
      (local.set $to (i32.add (local.get $to) (i32.const 64)))
      (br_if $next (i32.lt_u (local.tee $in (i32.add (local.get $in) (i32.const 16))) (local.get $end)))))

  ;; make_qkx2_quants of four groups of 32. $work: 32 vectors of values, of weights, of codes. At $result, four of each,
  ;; 32 bytes apart: scale, −minimum, and what the codes of the best try were made with: its 1/scale and its minimum.
  (func $search (param $work i32) (param $result i32) (param $most f32) (param $first f32) (param $tries i32)
    (local $at i32) (local $end i32) (local $try i32)
    (local $x v128) (local $w v128) (local $l v128) (local $wl v128) (local $difference v128) (local $better v128)
    (local $min v128) (local $max v128) (local $base v128) (local $sumW v128) (local $sumX v128)
    (local $sumL v128) (local $sumL2 v128) (local $sumXL v128) (local $d v128)
    (local $inverse v128) (local $scale v128) (local $error v128) (local $best v128)
    (local $thisScale v128) (local $thisMin v128) (local $flat v128) (local $bestInverse v128) (local $bestBase v128)
    (local.set $end (i32.add (local.get $work) (i32.const 512)))
    ;; weights: the root of the mean square, and the magnitude
    (local.set $at (local.get $work))
    (loop $next
      (local.set $x (v128.load (local.get $at)))
      (local.set $sumX (f32x4.add (local.get $sumX) (f32x4.mul (local.get $x) (local.get $x))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (local.set $w (f32x4.sqrt (f32x4.div (local.get $sumX) (f32x4.splat (f32.const 32)))))
    (local.set $at (local.get $work))
    (loop $next
      (v128.store offset=512 (local.get $at) (f32x4.add (local.get $w) (f32x4.abs (v128.load (local.get $at)))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (local.set $min (v128.load (local.get $work)))
    (local.set $max (local.get $min))
    (local.set $sumX (v128.const f32x4 0 0 0 0))
    (local.set $at (local.get $work))
    (loop $next
      (local.set $x (v128.load (local.get $at)))
      (local.set $w (v128.load offset=512 (local.get $at)))
      (local.set $min (f32x4.pmin (local.get $min) (local.get $x)))
      (local.set $max (f32x4.pmax (local.get $max) (local.get $x)))
      (local.set $sumW (f32x4.add (local.get $sumW) (local.get $w)))
      (local.set $sumX (f32x4.add (local.get $sumX) (f32x4.mul (local.get $w) (local.get $x))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (local.set $min (f32x4.pmin (local.get $min) (v128.const f32x4 0 0 0 0)))
    (local.set $flat (f32x4.eq (local.get $max) (local.get $min)))
    (local.set $try (i32.const -1))
    (loop $tries
      ;; a first try without a step, whose scale is 1/inverse; then those that fit scale and minimum to the codes
      (local.set $inverse (f32x4.div
        (f32x4.splat (select
          (local.get $most)
          (f32.add (f32.add (local.get $first) (f32.mul (f32.const 0.1) (f32.convert_i32_s (local.get $try)))) (local.get $most))
          (i32.lt_s (local.get $try) (i32.const 0))))
        (f32x4.sub (local.get $max) (local.get $min))))
      (local.set $base (local.get $min))
      (local.set $sumL (v128.const f32x4 0 0 0 0))
      (local.set $sumL2 (v128.const f32x4 0 0 0 0))
      (local.set $sumXL (v128.const f32x4 0 0 0 0))
      (local.set $at (local.get $work))
      (loop $next
        (local.set $x (v128.load (local.get $at)))
        (local.set $w (v128.load offset=512 (local.get $at)))
        (local.set $l (f32x4.pmin (f32x4.splat (local.get $most)) (f32x4.pmax (v128.const f32x4 0 0 0 0)
          (f32x4.nearest (f32x4.mul (local.get $inverse) (f32x4.sub (local.get $x) (local.get $base)))))))
        (v128.store offset=1024 (local.get $at) (local.get $l))
        (local.set $wl (f32x4.mul (local.get $w) (local.get $l)))
        (local.set $sumL (f32x4.add (local.get $sumL) (local.get $wl)))
        (local.set $sumL2 (f32x4.add (local.get $sumL2) (f32x4.mul (local.get $wl) (local.get $l))))
        (local.set $sumXL (f32x4.add (local.get $sumXL) (f32x4.mul (local.get $wl) (local.get $x))))
        (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
      (if (i32.lt_s (local.get $try) (i32.const 0))
        (then
          (local.set $thisScale (f32x4.div (f32x4.splat (f32.const 1)) (local.get $inverse)))
          (local.set $thisMin (local.get $min)))
        (else
          (local.set $d (f32x4.sub (f32x4.mul (local.get $sumW) (local.get $sumL2)) (f32x4.mul (local.get $sumL) (local.get $sumL))))
          (local.set $thisScale (f32x4.div
            (f32x4.sub (f32x4.mul (local.get $sumW) (local.get $sumXL)) (f32x4.mul (local.get $sumX) (local.get $sumL)))
            (local.get $d)))
          (local.set $thisMin (f32x4.div
            (f32x4.sub (f32x4.mul (local.get $sumL2) (local.get $sumX)) (f32x4.mul (local.get $sumL) (local.get $sumXL)))
            (local.get $d)))
          (local.set $better (f32x4.gt (local.get $thisMin) (v128.const f32x4 0 0 0 0)))
          (local.set $thisScale (v128.bitselect (f32x4.div (local.get $sumXL) (local.get $sumL2)) (local.get $thisScale) (local.get $better)))
          (local.set $thisMin (v128.andnot (local.get $thisMin) (local.get $better)))))
      (local.set $error (v128.const f32x4 0 0 0 0))
      (local.set $at (local.get $work))
      (loop $next
        (local.set $difference (f32x4.sub
          (f32x4.add (f32x4.mul (local.get $thisScale) (v128.load offset=1024 (local.get $at))) (local.get $thisMin))
          (v128.load (local.get $at))))
        (local.set $error (f32x4.add (local.get $error) (f32x4.mul (v128.load offset=512 (local.get $at))
          (f32x4.mul (local.get $difference) (local.get $difference)))))
        (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
      (local.set $better (if (result v128) (i32.lt_s (local.get $try) (i32.const 0))
        (then (v128.const i32x4 -1 -1 -1 -1))
        (else (v128.and
          (f32x4.gt (local.get $d) (v128.const f32x4 0 0 0 0))
          (f32x4.lt (local.get $error) (local.get $best))))))
      (local.set $best (v128.bitselect (local.get $error) (local.get $best) (local.get $better)))
      (local.set $scale (v128.bitselect (local.get $thisScale) (local.get $scale) (local.get $better)))
      (local.set $min (v128.bitselect (local.get $thisMin) (local.get $min) (local.get $better)))
      (local.set $bestInverse (v128.bitselect (local.get $inverse) (local.get $bestInverse) (local.get $better)))
      (local.set $bestBase (v128.bitselect (local.get $base) (local.get $bestBase) (local.get $better)))
      (br_if $tries (i32.lt_s (local.tee $try (i32.add (local.get $try) (i32.const 1))) (local.get $tries))))
    (v128.store offset=0 (local.get $result) (v128.andnot (local.get $scale) (local.get $flat)))
    (v128.store offset=32 (local.get $result) (f32x4.neg (local.get $min)))
    (v128.store offset=64 (local.get $result) (v128.andnot (local.get $bestInverse) (local.get $flat)))
    (v128.store offset=96 (local.get $result) (local.get $bestBase)))

  ;; The largest of eight floats, at least 0.
  (func $largest (param $at i32) (result f32)
    (local $end i32) (local $value f32) (local $most f32)
    (local.set $end (i32.add (local.get $at) (i32.const 32)))
    (loop $next
      (local.set $value (f32.load (local.get $at)))
      (local.set $most (select (local.get $value) (local.get $most) (f32.gt (local.get $value) (local.get $most))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $end))))
    (local.get $most))

  ;; 63/x, or 0 unless x is larger.
  (func $of63 (param $most f32) (result f32)
    (select (f32.div (f32.const 63) (local.get $most)) (f32.const 0) (f32.gt (local.get $most) (f32.const 0))))

  ;; A scale or minimum in 6 bits.
  (func $six (param $value f32) (param $inverse f32) (result i32)
    (local $whole i32)
    (local.set $whole (i32.and (i32.const 255) (i32.trunc_sat_f32_s (f32.nearest (f32.mul (local.get $inverse) (local.get $value))))))
    (select (local.get $whole) (i32.const 63) (i32.lt_u (local.get $whole) (i32.const 63))))

  ;; Sixteen codes: the nearest of (x + shift) ÷ or × factor, from $least to $most, plus $middle.
  (func $nearest (param $in i32) (param $shift v128) (param $factor v128) (param $divide i32)
    (param $least v128) (param $most v128) (param $middle i32) (result v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $a (f32x4.add (v128.load offset=0 (local.get $in)) (local.get $shift)))
    (local.set $b (f32x4.add (v128.load offset=16 (local.get $in)) (local.get $shift)))
    (local.set $c (f32x4.add (v128.load offset=32 (local.get $in)) (local.get $shift)))
    (local.set $d (f32x4.add (v128.load offset=48 (local.get $in)) (local.get $shift)))
    (if (local.get $divide)
      (then
        (local.set $a (f32x4.div (local.get $a) (local.get $factor)))
        (local.set $b (f32x4.div (local.get $b) (local.get $factor)))
        (local.set $c (f32x4.div (local.get $c) (local.get $factor)))
        (local.set $d (f32x4.div (local.get $d) (local.get $factor))))
      (else
        (local.set $a (f32x4.mul (local.get $a) (local.get $factor)))
        (local.set $b (f32x4.mul (local.get $b) (local.get $factor)))
        (local.set $c (f32x4.mul (local.get $c) (local.get $factor)))
        (local.set $d (f32x4.mul (local.get $d) (local.get $factor)))))
    (i8x16.add (i8x16.splat (local.get $middle)) (call $bytes
      (i32x4.trunc_sat_f32x4_s (f32x4.pmin (local.get $most) (f32x4.pmax (local.get $least) (f32x4.nearest (local.get $a)))))
      (i32x4.trunc_sat_f32x4_s (f32x4.pmin (local.get $most) (f32x4.pmax (local.get $least) (f32x4.nearest (local.get $b)))))
      (i32x4.trunc_sat_f32x4_s (f32x4.pmin (local.get $most) (f32x4.pmax (local.get $least) (f32x4.nearest (local.get $c)))))
      (i32x4.trunc_sat_f32x4_s (f32x4.pmin (local.get $most) (f32x4.pmax (local.get $least) (f32x4.nearest (local.get $d))))))))

  ;; Scales, minimums and codes of 256 values: the first 16 bytes of a block at $out, the codes at $work + 2048.
  (func $superblock (param $in i32) (param $out i32) (param $work i32) (param $most f32) (param $first f32) (param $tries i32)
    (local $result i32) (local $codes i32) (local $group i32) (local $at i32)
    (local $mostScale f32) (local $mostMin f32) (local $scale i32) (local $minimum i32) (local $d f32) (local $dmin f32)
    (local $step f32) (local $shift v128) (local $factor v128)
    (local.set $result (i32.add (local.get $work) (i32.const 1536)))
    (local.set $codes (i32.add (local.get $work) (i32.const 2048)))
    (call $lanes (local.get $in) (i32.const 128) (local.get $work))
    (call $search (local.get $work) (local.get $result) (local.get $most) (local.get $first) (local.get $tries))
    (call $lanes (i32.add (local.get $in) (i32.const 512)) (i32.const 128) (local.get $work))
    (call $search (local.get $work) (i32.add (local.get $result) (i32.const 16)) (local.get $most) (local.get $first) (local.get $tries))
    (local.set $mostScale (call $largest (local.get $result)))
    (local.set $mostMin (call $largest (i32.add (local.get $result) (i32.const 32))))
    (i32.store16 offset=0 align=1 (local.get $out) (call $half (f32.div (local.get $mostScale) (f32.const 63))))
    (i32.store16 offset=2 align=1 (local.get $out) (call $half (f32.div (local.get $mostMin) (f32.const 63))))
    (local.set $d (call $float (i32.load16_u offset=0 align=1 (local.get $out))))
    (local.set $dmin (call $float (i32.load16_u offset=2 align=1 (local.get $out))))
    (local.set $mostScale (call $of63 (local.get $mostScale)))
    (local.set $mostMin (call $of63 (local.get $mostMin)))
    (loop $groups
      (local.set $at (i32.add (local.get $result) (i32.shl (local.get $group) (i32.const 2))))
      (local.set $scale (call $six (f32.load offset=0 (local.get $at)) (local.get $mostScale)))
      (local.set $minimum (call $six (f32.load offset=32 (local.get $at)) (local.get $mostMin)))
      (local.set $step (f32.mul (local.get $d) (f32.convert_i32_u (local.get $scale))))
      (if (f32.eq (local.get $step) (f32.const 0))
        (then
          ;; the codes do not matter; they are those of the search
          (local.set $factor (v128.load32_splat offset=64 (local.get $at)))
          (local.set $shift (f32x4.neg (v128.load32_splat offset=96 (local.get $at)))))
        (else
          (local.set $factor (f32x4.splat (local.get $step)))
          (local.set $shift (f32x4.splat (f32.mul (local.get $dmin) (f32.convert_i32_u (local.get $minimum)))))))
      (v128.store offset=0 (local.get $codes) (call $nearest (local.get $in) (local.get $shift) (local.get $factor)
        (f32.ne (local.get $step) (f32.const 0)) (v128.const f32x4 0 0 0 0) (f32x4.splat (local.get $most)) (i32.const 0)))
      (v128.store offset=16 (local.get $codes) (call $nearest (i32.add (local.get $in) (i32.const 64)) (local.get $shift) (local.get $factor)
        (f32.ne (local.get $step) (f32.const 0)) (v128.const f32x4 0 0 0 0) (f32x4.splat (local.get $most)) (i32.const 0)))
      ;; six bits each: the last four groups have their upper two where the first four have room
      (local.set $at (i32.add (local.get $out) (local.get $group)))
      (if (i32.lt_u (local.get $group) (i32.const 4))
        (then
          (i32.store8 offset=4 (local.get $at) (local.get $scale))
          (i32.store8 offset=8 (local.get $at) (local.get $minimum)))
        (else
          (i32.store8 offset=8 (local.get $at) (i32.or
            (i32.and (local.get $scale) (i32.const 15)) (i32.shl (i32.and (local.get $minimum) (i32.const 15)) (i32.const 4))))
          (i32.store8 offset=0 (local.get $at) (i32.or (i32.load8_u offset=0 (local.get $at))
            (i32.shl (i32.shr_u (local.get $scale) (i32.const 4)) (i32.const 6))))
          (i32.store8 offset=4 (local.get $at) (i32.or (i32.load8_u offset=4 (local.get $at))
            (i32.shl (i32.shr_u (local.get $minimum) (i32.const 4)) (i32.const 6))))))
      (local.set $in (i32.add (local.get $in) (i32.const 128)))
      (local.set $codes (i32.add (local.get $codes) (i32.const 32)))
      (br_if $groups (i32.lt_u (local.tee $group (i32.add (local.get $group) (i32.const 1))) (i32.const 8)))))

  ;; Lower four bits of 256 codes: those of two groups of 32 share their bytes.
  (func $nibbles (param $codes i32) (param $out i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $codes) (i32.const 256)))
    (loop $next
      (v128.store offset=0 align=1 (local.get $out) (v128.or
        (v128.and (v128.load offset=0 (local.get $codes)) (i8x16.splat (i32.const 15)))
        (i8x16.shl (v128.load offset=32 (local.get $codes)) (i32.const 4))))
      (v128.store offset=16 align=1 (local.get $out) (v128.or
        (v128.and (v128.load offset=16 (local.get $codes)) (i8x16.splat (i32.const 15)))
        (i8x16.shl (v128.load offset=48 (local.get $codes)) (i32.const 4))))
      (local.set $out (i32.add (local.get $out) (i32.const 32)))
      (br_if $next (i32.lt_u (local.tee $codes (i32.add (local.get $codes) (i32.const 64))) (local.get $end)))))

  (func (export "Q4_K") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (loop $block
      (call $superblock (local.get $in) (local.get $out) (local.get $work) (f32.const 15) (f32.const -1) (i32.const 21))
      (call $nibbles (i32.add (local.get $work) (i32.const 2048)) (i32.add (local.get $out) (i32.const 16)))
      (local.set $in (i32.add (local.get $in) (i32.const 1024)))
      (local.set $out (i32.add (local.get $out) (i32.const 144)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; The fifth bit of 16 codes as bit $bit.
  (func $bit (param $codes i32) (param $bit i32) (result v128)
    (i8x16.shl (i8x16.shr_u (v128.load (local.get $codes)) (i32.const 4)) (local.get $bit)))

  ;; Fifth bits of codes 0, 32, 64 … of 256, in one byte.
  (func $fifths (param $codes i32) (result v128)
    (v128.or
      (v128.or
        (v128.or (call $bit (local.get $codes) (i32.const 0)) (call $bit (i32.add (local.get $codes) (i32.const 32)) (i32.const 1)))
        (v128.or (call $bit (i32.add (local.get $codes) (i32.const 64)) (i32.const 2)) (call $bit (i32.add (local.get $codes) (i32.const 96)) (i32.const 3))))
      (v128.or
        (v128.or (call $bit (i32.add (local.get $codes) (i32.const 128)) (i32.const 4)) (call $bit (i32.add (local.get $codes) (i32.const 160)) (i32.const 5)))
        (v128.or (call $bit (i32.add (local.get $codes) (i32.const 192)) (i32.const 6)) (call $bit (i32.add (local.get $codes) (i32.const 224)) (i32.const 7))))))

  (func (export "Q5_K") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (local $codes i32)
    (local.set $codes (i32.add (local.get $work) (i32.const 2048)))
    (loop $block
      (call $superblock (local.get $in) (local.get $out) (local.get $work) (f32.const 31) (f32.const -0.5) (i32.const 16))
      (v128.store offset=16 align=1 (local.get $out) (call $fifths (local.get $codes)))
      (v128.store offset=32 align=1 (local.get $out) (call $fifths (i32.add (local.get $codes) (i32.const 16))))
      (call $nibbles (local.get $codes) (i32.add (local.get $out) (i32.const 48)))
      (local.set $in (i32.add (local.get $in) (i32.const 1024)))
      (local.set $out (i32.add (local.get $out) (i32.const 176)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; make_qx_quants of four groups of 16, weighted by their squares. $work: 16 vectors of values. At $result, four of each,
  ;; 64 bytes apart: scale, and what the codes of the best try were made with: 1/scale and what is added (0 for no values).
  (func $symmetric (param $work i32) (param $result i32)
    (local $at i32) (local $end i32) (local $try i32)
    (local $x v128) (local $w v128) (local $l v128) (local $most v128) (local $larger v128)
    (local $inverse v128) (local $sumLX v128) (local $sumL2 v128) (local $scale v128) (local $best v128) (local $bestInverse v128)
    (local.set $end (i32.add (local.get $work) (i32.const 256)))
    (local.set $at (local.get $work))
    (loop $next
      (local.set $x (v128.load (local.get $at)))
      (local.set $most (v128.bitselect (local.get $x) (local.get $most)
        (f32x4.gt (f32x4.abs (local.get $x)) (f32x4.abs (local.get $most)))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    ;; the first try is the one without a step
    (local.set $try (i32.const -10))
    (loop $tries
      (local.set $inverse (f32x4.div
        (f32x4.splat (f32.neg (f32.add (f32.const 32) (select
          (f32.const 0)
          (f32.mul (f32.const 0.1) (f32.convert_i32_s (local.get $try)))
          (i32.eq (local.get $try) (i32.const -10))))))
        (local.get $most)))
      (local.set $sumLX (v128.const f32x4 0 0 0 0))
      (local.set $sumL2 (v128.const f32x4 0 0 0 0))
      (local.set $at (local.get $work))
      (loop $next
        (local.set $x (v128.load (local.get $at)))
        (local.set $l (f32x4.pmin (f32x4.splat (f32.const 31)) (f32x4.pmax (f32x4.splat (f32.const -32))
          (f32x4.nearest (f32x4.mul (local.get $inverse) (local.get $x))))))
        (local.set $w (f32x4.mul (local.get $x) (local.get $x)))
        (local.set $sumLX (f32x4.add (local.get $sumLX) (f32x4.mul (f32x4.mul (local.get $w) (local.get $x)) (local.get $l))))
        (local.set $sumL2 (f32x4.add (local.get $sumL2) (f32x4.mul (f32x4.mul (local.get $w) (local.get $l)) (local.get $l))))
        (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
      (local.set $larger (v128.and
        (f32x4.gt (local.get $sumL2) (v128.const f32x4 0 0 0 0))
        (f32x4.gt (f32x4.mul (local.get $sumLX) (local.get $sumLX)) (f32x4.mul (local.get $best) (local.get $sumL2)))))
      (if (i32.eq (local.get $try) (i32.const -10))
        (then (local.set $larger (f32x4.ne (local.get $sumL2) (v128.const f32x4 0 0 0 0)))
              (local.set $bestInverse (local.get $inverse))))
      (local.set $scale (v128.bitselect (f32x4.div (local.get $sumLX) (local.get $sumL2)) (local.get $scale) (local.get $larger)))
      (local.set $best (v128.bitselect (f32x4.mul (local.get $scale) (local.get $sumLX)) (local.get $best) (local.get $larger)))
      (local.set $bestInverse (v128.bitselect (local.get $inverse) (local.get $bestInverse) (local.get $larger)))
      (local.set $try (i32.add (local.get $try) (i32.const 1)))
      (local.set $try (i32.add (local.get $try) (i32.eqz (local.get $try))))
      (br_if $tries (i32.le_s (local.get $try) (i32.const 9))))
    (local.set $larger (f32x4.ge (f32x4.abs (local.get $most)) (f32x4.splat (f32.const 1e-15))))
    (v128.store offset=0 (local.get $result) (v128.and (local.get $scale) (local.get $larger)))
    (v128.store offset=64 (local.get $result) (v128.and (local.get $bestInverse) (local.get $larger)))
    (v128.store offset=128 (local.get $result) (v128.and (i32x4.splat (i32.const 32)) (local.get $larger))))

  ;; Scales and codes of 256 values: scales at $out + 192, the codes at $work + 2048.
  (func $signed (param $in i32) (param $out i32) (param $work i32) (param $result i32)
    (local $group i32) (local $at i32) (local $codes i32) (local $value f32) (local $most f32) (local $inverse f32)
    (local $d f32) (local $step f32) (local $scale i32)
    (local.set $codes (i32.add (local.get $work) (i32.const 2048)))
    (loop $groups
      (local.set $value (f32.load (i32.add (local.get $result) (i32.shl (local.get $group) (i32.const 2)))))
      (local.set $most (select (local.get $value) (local.get $most) (f32.gt (f32.abs (local.get $value)) (f32.abs (local.get $most)))))
      (br_if $groups (i32.lt_u (local.tee $group (i32.add (local.get $group) (i32.const 1))) (i32.const 16))))
    (if (f32.lt (f32.abs (local.get $most)) (f32.const 1e-15))
      (then
        (memory.fill (local.get $codes) (i32.const 0) (i32.const 256))
        (memory.fill (i32.add (local.get $out) (i32.const 192)) (i32.const 0) (i32.const 18))
        (return)))
    (local.set $inverse (f32.div (f32.const -128) (local.get $most)))
    (i32.store16 offset=208 align=1 (local.get $out) (call $half (f32.div (f32.const 1) (local.get $inverse))))
    (local.set $d (call $float (i32.load16_u offset=208 align=1 (local.get $out))))
    (local.set $group (i32.const 0))
    (loop $groups
      (local.set $at (i32.add (local.get $result) (i32.shl (local.get $group) (i32.const 2))))
      (local.set $scale (i32.trunc_sat_f32_s (f32.nearest (f32.mul (local.get $inverse) (f32.load (local.get $at))))))
      (local.set $scale (select (local.get $scale) (i32.const 127) (i32.lt_s (local.get $scale) (i32.const 127))))
      (i32.store8 offset=192 (i32.add (local.get $out) (local.get $group)) (local.get $scale))
      (local.set $step (f32.mul (local.get $d) (f32.convert_i32_s (local.get $scale))))
      (v128.store (local.get $codes) (call $nearest (local.get $in) (v128.const f32x4 0 0 0 0)
        (f32x4.splat (select (f32.load offset=64 (local.get $at)) (local.get $step) (f32.eq (local.get $step) (f32.const 0))))
        (f32.ne (local.get $step) (f32.const 0))
        (f32x4.splat (f32.const -32)) (f32x4.splat (f32.const 31))
        (select (i32.load offset=128 (local.get $at)) (i32.const 32) (f32.eq (local.get $step) (f32.const 0)))))
      (local.set $in (i32.add (local.get $in) (i32.const 64)))
      (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
      (br_if $groups (i32.lt_u (local.tee $group (i32.add (local.get $group) (i32.const 1))) (i32.const 16)))))

  ;; Sixteen of the codes 0 … 31 of 128, and those 32, 64 and 96 later: lower four bits at $low, upper two at $high.
  (func $sixes (param $codes i32) (param $low i32) (param $high i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $a (v128.load offset=0 (local.get $codes)))
    (local.set $b (v128.load offset=32 (local.get $codes)))
    (local.set $c (v128.load offset=64 (local.get $codes)))
    (local.set $d (v128.load offset=96 (local.get $codes)))
    (v128.store offset=0 align=1 (local.get $low) (v128.or
      (v128.and (local.get $a) (i8x16.splat (i32.const 15))) (i8x16.shl (local.get $c) (i32.const 4))))
    (v128.store offset=32 align=1 (local.get $low) (v128.or
      (v128.and (local.get $b) (i8x16.splat (i32.const 15))) (i8x16.shl (local.get $d) (i32.const 4))))
    (v128.store align=1 (local.get $high) (v128.or
      (v128.or (i8x16.shr_u (local.get $a) (i32.const 4)) (i8x16.shl (i8x16.shr_u (local.get $b) (i32.const 4)) (i32.const 2)))
      (v128.or (i8x16.shl (i8x16.shr_u (local.get $c) (i32.const 4)) (i32.const 4)) (i8x16.shl (i8x16.shr_u (local.get $d) (i32.const 4)) (i32.const 6))))))

  (func (export "Q6_K") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (local $result i32) (local $codes i32) (local $quarter i32)
    (local.set $result (i32.add (local.get $work) (i32.const 1536)))
    (local.set $codes (i32.add (local.get $work) (i32.const 2048)))
    (loop $block
      (local.set $quarter (i32.const 0))
      (loop $quarters
        (call $lanes (i32.add (local.get $in) (i32.shl (local.get $quarter) (i32.const 8))) (i32.const 64) (local.get $work))
        (call $symmetric (local.get $work) (i32.add (local.get $result) (i32.shl (local.get $quarter) (i32.const 4))))
        (br_if $quarters (i32.lt_u (local.tee $quarter (i32.add (local.get $quarter) (i32.const 1))) (i32.const 4))))
      (call $signed (local.get $in) (local.get $out) (local.get $work) (local.get $result))
      (call $sixes (local.get $codes) (local.get $out) (i32.add (local.get $out) (i32.const 128)))
      (call $sixes (i32.add (local.get $codes) (i32.const 16)) (i32.add (local.get $out) (i32.const 16)) (i32.add (local.get $out) (i32.const 144)))
      (call $sixes (i32.add (local.get $codes) (i32.const 128)) (i32.add (local.get $out) (i32.const 64)) (i32.add (local.get $out) (i32.const 160)))
      (call $sixes (i32.add (local.get $codes) (i32.const 144)) (i32.add (local.get $out) (i32.const 80)) (i32.add (local.get $out) (i32.const 176)))
      (local.set $in (i32.add (local.get $in) (i32.const 1024)))
      (local.set $out (i32.add (local.get $out) (i32.const 210)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; The nearest float16 of four values, ties to even, in 32 bits each: of NaN a NaN, beyond 65,504 infinity.
  (func $halves (param $value v128) (result v128)
    (local $size v128) (local $normal v128) (local $small v128)
    (local.set $size (v128.and (local.get $value) (i32x4.splat (i32.const 0x7fffffff))))
    (local.set $normal (i32x4.shr_u
      (i32x4.add
        (i32x4.add (local.get $size) (i32x4.splat (i32.const 0xc8000fff)))
        (v128.and (i32x4.shr_u (local.get $size) (i32.const 13)) (i32x4.splat (i32.const 1))))
      (i32.const 13)))
    (local.set $small (i32x4.trunc_sat_f32x4_s (f32x4.nearest
      (f32x4.mul (f32x4.abs (local.get $value)) (f32x4.splat (f32.const 0x1p24))))))
    (v128.or
      (v128.and (i32x4.shr_u (local.get $value) (i32.const 16)) (i32x4.splat (i32.const 0x8000)))
      (v128.bitselect
        (v128.bitselect
          (v128.bitselect (i32x4.splat (i32.const 0x7e00)) (i32x4.splat (i32.const 0x7c00))
            (i32x4.gt_s (local.get $size) (i32x4.splat (i32.const 0x7f800000))))
          (local.get $normal)
          (i32x4.ge_s (local.get $size) (i32x4.splat (i32.const 0x477ff000))))
        (local.get $small)
        (i32x4.ge_s (local.get $size) (i32x4.splat (i32.const 0x38800000))))))

  ;; Eight values at a time, the last ones whatever they are.
  (func (export "F16") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (loop $next
      (v128.store (local.get $out) (i16x8.narrow_i32x4_u
        (call $halves (v128.load offset=0 (local.get $in)))
        (call $halves (v128.load offset=16 (local.get $in)))))
      (local.set $in (i32.add (local.get $in) (i32.const 32)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $next (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 8))) (i32.const 0)))))

  ;; The nearest bfloat16 of four values, ties to even, in 32 bits each.
  (func $brains (param $value v128) (result v128)
    (v128.bitselect
      (i32x4.splat (i32.const 0x7fc0))
      (i32x4.shr_u
        (i32x4.add
          (i32x4.add (local.get $value) (i32x4.splat (i32.const 0x7fff)))
          (v128.and (i32x4.shr_u (local.get $value) (i32.const 16)) (i32x4.splat (i32.const 1))))
        (i32.const 16))
      (f32x4.ne (local.get $value) (local.get $value))))

  (func (export "BF16") (param $in i32) (param $out i32) (param $count i32) (param $work i32)
    (loop $next
      (v128.store (local.get $out) (i16x8.narrow_i32x4_u
        (call $brains (v128.load offset=0 (local.get $in)))
        (call $brains (v128.load offset=16 (local.get $in)))))
      (local.set $in (i32.add (local.get $in) (i32.const 32)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $next (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 8))) (i32.const 0))))))
