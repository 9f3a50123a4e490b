;; AdamW's step, with moments in float32 or as blocks of 8-bit codes. The formulas are in
;; src/compute/training/optimizers/adamw.ts. What is rounded to float32 and what is computed in float64 is as there, so
;; that the results are equal bit for bit.
(module
  (import "kernel" "memory" (memory 1))

  ;; Float64 constants of a step: scale of the gradients, kept and taken shares of both moments, kept share of the
  ;; parameter, size of the step, and the small number below.
  (global $scale i32 (i32.const 0))
  (global $keep1 i32 (i32.const 8))
  (global $take1 i32 (i32.const 16))
  (global $keep2 i32 (i32.const 24))
  (global $take2 i32 (i32.const 32))
  (global $keep i32 (i32.const 40))
  (global $step i32 (i32.const 48))
  (global $small i32 (i32.const 56))

  ;; $count elements (at least one, up to three after the last are written too) of parameters, gradients and moments.
  (func $adamw (export "adamw") (param $p i32) (param $g i32) (param $m i32) (param $v i32) (param $count i32)
    (local $scale v128) (local $take1 v128) (local $keep v128) (local $step v128) (local $small v128)
    (local $keep1 v128) (local $keep2 v128) (local $take2 v128)
    (local $x v128) (local $gradient v128) (local $low v128) (local $high v128)
    (local.set $scale (v128.load64_splat (global.get $scale)))
    (local.set $take1 (v128.load64_splat (global.get $take1)))
    (local.set $keep (v128.load64_splat (global.get $keep)))
    (local.set $step (v128.load64_splat (global.get $step)))
    (local.set $small (v128.load64_splat (global.get $small)))
    ;; these are float32 already: products with them are rounded as float32 products are
    (local.set $keep1 (f32x4.splat (f32.demote_f64 (f64.load (global.get $keep1)))))
    (local.set $keep2 (f32x4.splat (f32.demote_f64 (f64.load (global.get $keep2)))))
    (local.set $take2 (f32x4.splat (f32.demote_f64 (f64.load (global.get $take2)))))
    (loop $four
      ;; g · scale
      (local.set $x (v128.load (local.get $g)))
      (local.set $low (f32x4.demote_f64x2_zero (f64x2.mul (local.get $scale) (f64x2.promote_low_f32x4 (local.get $x)))))
      (local.set $high (f32x4.demote_f64x2_zero (f64x2.mul (local.get $scale)
        (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))))))
      (local.set $gradient (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $low) (local.get $high)))

      ;; m · keep1 + g · take1
      (local.set $x (f32x4.mul (local.get $keep1) (v128.load (local.get $m))))
      (local.set $low (f32x4.demote_f64x2_zero (f64x2.add (f64x2.promote_low_f32x4 (local.get $x))
        (f64x2.mul (local.get $take1) (f64x2.promote_low_f32x4 (local.get $gradient))))))
      (local.set $high (f32x4.demote_f64x2_zero (f64x2.add
        (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x)))
        (f64x2.mul (local.get $take1)
          (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $gradient) (local.get $gradient)))))))
      (v128.store (local.get $m) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $low) (local.get $high)))

      ;; v · keep2 + g² · take2
      (local.set $x (f32x4.add
        (f32x4.mul (local.get $keep2) (v128.load (local.get $v)))
        (f32x4.mul (f32x4.mul (local.get $take2) (local.get $gradient)) (local.get $gradient))))
      (v128.store (local.get $v) (local.get $x))

      ;; p · keep − step · m ÷ (√v + small)
      (local.set $low (f64x2.div
        (f64x2.mul (local.get $step) (f64x2.promote_low_f32x4 (local.get $low)))
        (f64x2.add (local.get $small) (f64x2.sqrt (f64x2.promote_low_f32x4 (local.get $x))))))
      (local.set $high (f64x2.div
        (f64x2.mul (local.get $step) (f64x2.promote_low_f32x4 (local.get $high)))
        (f64x2.add (local.get $small) (f64x2.sqrt
          (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x)))))))
      (local.set $x (v128.load (local.get $p)))
      (local.set $low (f32x4.demote_f64x2_zero (f64x2.sub
        (f64x2.mul (local.get $keep) (f64x2.promote_low_f32x4 (local.get $x))) (local.get $low))))
      (local.set $high (f32x4.demote_f64x2_zero (f64x2.sub
        (f64x2.mul (local.get $keep)
          (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))))
        (local.get $high))))
      (v128.store (local.get $p) (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $low) (local.get $high)))

      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (i32.const 16)))
      (local.set $v (i32.add (local.get $v) (i32.const 16)))
      (br_if $four (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 4))) (i32.const 0)))))

  ;; Codes of 8 bits to float32: each code's value in the table at $map, times $absmax.
  (func $dequantise (param $codes i32) (param $map i32) (param $absmax f32) (param $out i32) (param $count i32)
    (loop $one
      (f32.store (local.get $out)
        (f32.mul (local.get $absmax)
          (f32.load (i32.add (local.get $map) (i32.shl (i32.load8_u (local.get $codes)) (i32.const 2))))))
      (local.set $codes (i32.add (local.get $codes) (i32.const 1)))
      (local.set $out (i32.add (local.get $out) (i32.const 4)))
      (br_if $one (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; The largest magnitude of $count values; after them there are zeros up to a multiple of four.
  (func $largest (param $at i32) (param $count i32) (result f32)
    (local $most v128)
    (loop $four
      (local.set $most (f32x4.max (local.get $most) (f32x4.abs (v128.load (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $four (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 4))) (i32.const 0))))
    (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $most)) (f32x4.extract_lane 1 (local.get $most)))
      (f32.max (f32x4.extract_lane 2 (local.get $most)) (f32x4.extract_lane 3 (local.get $most)))))

  ;; Values times $inverse to the nearest code. $first has the code of the least value with the same upper 16 bits, and
  ;; $ends the largest value of each code.
  (func $encode (param $values i32) (param $inverse f32) (param $first i32) (param $ends i32) (param $codes i32) (param $count i32)
    (local $value f32) (local $code i32)
    (loop $one
      (local.set $value (f32.mul (local.get $inverse) (f32.load (local.get $values))))
      (local.set $code (i32.load8_u (i32.add (local.get $first)
        (i32.shr_u (i32.reinterpret_f32 (local.get $value)) (i32.const 16)))))
      (block $found
        (loop $next
          (br_if $found (i32.eqz (f32.gt (local.get $value)
            (f32.load (i32.add (local.get $ends) (i32.shl (local.get $code) (i32.const 2)))))))
          (local.set $code (i32.add (local.get $code) (i32.const 1)))
          (br $next)))
      (i32.store8 (local.get $codes) (local.get $code))
      (local.set $values (i32.add (local.get $values) (i32.const 4)))
      (local.set $codes (i32.add (local.get $codes) (i32.const 1)))
      (br_if $one (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; Tables of one moment: 256 values, 256 ends, and 65,536 first codes, one after the other at $tables.
  (func $write (param $values i32) (param $absmax i32) (param $tables i32) (param $codes i32) (param $count i32)
    (local $most f32)
    (local.set $most (call $largest (local.get $values) (local.get $count)))
    (f32.store (local.get $absmax) (local.get $most))
    (call $encode (local.get $values)
      (select (f32.const 0) (f32.div (f32.const 1) (local.get $most)) (f32.eq (local.get $most) (f32.const 0)))
      (i32.add (local.get $tables) (i32.const 2048)) (i32.add (local.get $tables) (i32.const 1024))
      (local.get $codes) (local.get $count)))

  ;; The same step over moments of 8 bits: $mc and $vc codes, $ma and $va the largest magnitude of each block of 256.
  ;; At $scratch there is room for 512 floats.
  (func (export "adamw8bit") (param $p i32) (param $g i32) (param $mc i32) (param $vc i32) (param $ma i32) (param $va i32)
      (param $count i32) (param $means i32) (param $squares i32) (param $scratch i32)
    (local $size i32) (local $v i32)
    (local.set $v (i32.add (local.get $scratch) (i32.const 1024)))
    (loop $block
      (local.set $size (select (i32.const 256) (local.get $count) (i32.gt_s (local.get $count) (i32.const 256))))
      (call $dequantise (local.get $mc) (local.get $means) (f32.load (local.get $ma)) (local.get $scratch) (local.get $size))
      (call $dequantise (local.get $vc) (local.get $squares) (f32.load (local.get $va)) (local.get $v) (local.get $size))
      (call $adamw (local.get $p) (local.get $g) (local.get $scratch) (local.get $v) (local.get $size))
      ;; what $adamw wrote after the last must not count as a magnitude
      (memory.fill (i32.add (local.get $scratch) (i32.shl (local.get $size) (i32.const 2))) (i32.const 0)
        (i32.sub (i32.const 1024) (i32.shl (local.get $size) (i32.const 2))))
      (memory.fill (i32.add (local.get $v) (i32.shl (local.get $size) (i32.const 2))) (i32.const 0)
        (i32.sub (i32.const 1024) (i32.shl (local.get $size) (i32.const 2))))
      (call $write (local.get $scratch) (local.get $ma) (local.get $means) (local.get $mc) (local.get $size))
      (call $write (local.get $v) (local.get $va) (local.get $squares) (local.get $vc) (local.get $size))
      (local.set $p (i32.add (local.get $p) (i32.const 1024)))
      (local.set $g (i32.add (local.get $g) (i32.const 1024)))
      (local.set $mc (i32.add (local.get $mc) (i32.const 256)))
      (local.set $vc (i32.add (local.get $vc) (i32.const 256)))
      (local.set $ma (i32.add (local.get $ma) (i32.const 4)))
      (local.set $va (i32.add (local.get $va) (i32.const 4)))
      (br_if $block (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 256))) (i32.const 0))))))
