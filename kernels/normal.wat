;; Normal float32 values from Philox 4x32-10, four counters at a time (see src/compute/models/philox.ts, whose values these are).
;; Logarithm, sine and cosine are those of fdlibm (Sun Microsystems, 1993) without branches, in float64: within a few units in
;; their last place. A value that lies so close to the middle between two float32 that this may decide is doubtful, and so is one
;; whose angle is next to a multiple of a quarter turn: the caller makes these again.
(module
  (import "kernel" "memory" (memory 1))

  ;; Constants are read from memory, which is quicker than making them where they are used.
  (global $one v128 (v128.const f64x2 1 1))
  (global $two v128 (v128.const f64x2 2 2))
  (global $half v128 (v128.const f64x2 0.5 0.5))
  (global $minus_two v128 (v128.const f64x2 -2 -2))
  (global $two_to_52 v128 (v128.const f64x2 0x1p52 0x1p52))
  (global $two_to_minus_32 v128 (v128.const f64x2 0x1p-32 0x1p-32))
  ;; bits of the root of 1/2; of 64 in an exponent; of 2^52 and 64 more
  (global $root v128 (v128.const i64x2 0x3fe6a09e667f3bcd 0x3fe6a09e667f3bcd))
  (global $exponent_64 v128 (v128.const i64x2 0x0400000000000000 0x0400000000000000))
  (global $exponents v128 (v128.const i64x2 0xfff0000000000000 0xfff0000000000000))
  (global $two_to_52_and_64 v128 (v128.const f64x2 0x1.000000000004p52 0x1.000000000004p52))
  (global $ln2_high v128 (v128.const f64x2 6.93147180369123816490e-01 6.93147180369123816490e-01))
  (global $ln2_low v128 (v128.const f64x2 1.90821492927058770002e-10 1.90821492927058770002e-10))
  (global $log1 v128 (v128.const f64x2 6.666666666666735130e-01 6.666666666666735130e-01))
  (global $log2 v128 (v128.const f64x2 3.999999999940941908e-01 3.999999999940941908e-01))
  (global $log3 v128 (v128.const f64x2 2.857142874366239149e-01 2.857142874366239149e-01))
  (global $log4 v128 (v128.const f64x2 2.222219843214978396e-01 2.222219843214978396e-01))
  (global $log5 v128 (v128.const f64x2 1.818357216161805012e-01 1.818357216161805012e-01))
  (global $log6 v128 (v128.const f64x2 1.531383769920937332e-01 1.531383769920937332e-01))
  (global $log7 v128 (v128.const f64x2 1.479819860511658591e-01 1.479819860511658591e-01))
  (global $turn v128 (v128.const f64x2 0x1.921fb54442d18p+2 0x1.921fb54442d18p+2))
  (global $quarters v128 (v128.const f64x2 0x1.45f306dc9c883p-1 0x1.45f306dc9c883p-1))
  (global $quarter_high v128 (v128.const f64x2 1.57079632673412561417e+00 1.57079632673412561417e+00))
  (global $quarter_low v128 (v128.const f64x2 6.07710050650619224932e-11 6.07710050650619224932e-11))
  (global $close v128 (v128.const f64x2 0x1p-20 0x1p-20))
  (global $sin1 v128 (v128.const f64x2 -1.66666666666666324348e-01 -1.66666666666666324348e-01))
  (global $sin2 v128 (v128.const f64x2 8.33333333332248946124e-03 8.33333333332248946124e-03))
  (global $sin3 v128 (v128.const f64x2 -1.98412698298579493134e-04 -1.98412698298579493134e-04))
  (global $sin4 v128 (v128.const f64x2 2.75573137070700676789e-06 2.75573137070700676789e-06))
  (global $sin5 v128 (v128.const f64x2 -2.50507602534068634195e-08 -2.50507602534068634195e-08))
  (global $sin6 v128 (v128.const f64x2 1.58969099521155010221e-10 1.58969099521155010221e-10))
  (global $cos1 v128 (v128.const f64x2 4.16666666666666019037e-02 4.16666666666666019037e-02))
  (global $cos2 v128 (v128.const f64x2 -1.38888888888741095749e-03 -1.38888888888741095749e-03))
  (global $cos3 v128 (v128.const f64x2 2.48015872894767294178e-05 2.48015872894767294178e-05))
  (global $cos4 v128 (v128.const f64x2 -2.75573143513906633035e-07 -2.75573143513906633035e-07))
  (global $cos5 v128 (v128.const f64x2 2.08757232129817482790e-09 2.08757232129817482790e-09))
  (global $cos6 v128 (v128.const f64x2 -1.13596475577881948265e-11 -1.13596475577881948265e-11))
  (global $bit0 v128 (v128.const i64x2 1 1))
  (global $bit1 v128 (v128.const i64x2 2 2))
  ;; of the 29 bits that a float32 lacks: the middle less 64, and twice 64
  (global $dropped v128 (v128.const i32x4 0x1fffffff 0x1fffffff 0x1fffffff 0x1fffffff))
  (global $middle v128 (v128.const i32x4 0x0fffffc0 0x0fffffc0 0x0fffffc0 0x0fffffc0))
  (global $width v128 (v128.const i32x4 128 128 128 128))
  (global $multiplier0 v128 (v128.const i32x4 0xd2511f53 0xd2511f53 0xd2511f53 0xd2511f53))
  (global $multiplier1 v128 (v128.const i32x4 0xcd9e8d57 0xcd9e8d57 0xcd9e8d57 0xcd9e8d57))
  (global $weyl0 v128 (v128.const i32x4 0x9e3779b9 0x9e3779b9 0x9e3779b9 0x9e3779b9))
  (global $weyl1 v128 (v128.const i32x4 0xbb67ae85 0xbb67ae85 0xbb67ae85 0xbb67ae85))

  ;; Writes 16 values for each of $groups groups of four counters, whose lowest words begin with $low and do not wrap.
  ;; $high, $stream0, $stream1: the other words of the counters; $key0, $key1: the key
  ;; $doubtful: room for an int32 per group; gets the indices of those with a doubtful value. Result: how many there are.
  ;; $words: 64 bytes to work in
  (func (export "normal") (param $out i32) (param $groups i32) (param $low i32) (param $high i32) (param $stream0 i32) (param $stream1 i32)
      (param $key0 i32) (param $key1 i32) (param $deviation f64) (param $doubtful i32) (param $words i32) (result i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $counters v128)
    (local $low0 v128) (local $high0 v128) (local $low1 v128) (local $high1 v128)
    (local $k0 v128) (local $k1 v128) (local $scale v128) (local $round i32) (local $group i32) (local $found i32)
    (local $x v128) (local $k v128) (local $f v128) (local $s v128) (local $z v128) (local $w v128) (local $radius v128)
    (local $cos v128) (local $sin v128) (local $odd v128) (local $doubt v128) (local $part i32) (local $from i32) (local $to i32)
    (local.set $counters (i32x4.add (i32x4.splat (local.get $low)) (v128.const i32x4 0 1 2 3)))
    (local.set $scale (f64x2.splat (local.get $deviation)))
    (loop $next
      (local.set $a (local.get $counters))
      (local.set $b (i32x4.splat (local.get $high)))
      (local.set $c (i32x4.splat (local.get $stream0)))
      (local.set $d (i32x4.splat (local.get $stream1)))
      (local.set $k0 (i32x4.splat (local.get $key0)))
      (local.set $k1 (i32x4.splat (local.get $key1)))
      (local.set $round (i32.const 10))
      (loop $rounds
        (local.set $low0 (i64x2.extmul_low_i32x4_u (local.get $a) (global.get $multiplier0)))
        (local.set $high0 (i64x2.extmul_high_i32x4_u (local.get $a) (global.get $multiplier0)))
        (local.set $low1 (i64x2.extmul_low_i32x4_u (local.get $c) (global.get $multiplier1)))
        (local.set $high1 (i64x2.extmul_high_i32x4_u (local.get $c) (global.get $multiplier1)))
        (local.set $a (v128.xor
          (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low1) (local.get $high1))
          (v128.xor (local.get $b) (local.get $k0))))
        (local.set $b (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low1) (local.get $high1)))
        (local.set $c (v128.xor
          (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low0) (local.get $high0))
          (v128.xor (local.get $d) (local.get $k1))))
        (local.set $d (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low0) (local.get $high0)))
        (local.set $k0 (i32x4.add (local.get $k0) (global.get $weyl0)))
        (local.set $k1 (i32x4.add (local.get $k1) (global.get $weyl1)))
        (br_if $rounds (local.tee $round (i32.sub (local.get $round) (i32.const 1)))))
      (v128.store (local.get $words) (local.get $a))
      (v128.store offset=16 (local.get $words) (local.get $b))
      (v128.store offset=32 (local.get $words) (local.get $c))
      (v128.store offset=48 (local.get $words) (local.get $d))
      (local.set $doubt (v128.const i32x4 0 0 0 0))
      (local.set $part (i32.const 0))
      ;; Two pairs of values each: of the first two counters and the last two, and of their first words and their last.
      (loop $parts
        (local.set $from (i32.add (local.get $words) (i32.or
          (i32.shl (i32.and (local.get $part) (i32.const 1)) (i32.const 3))
          (i32.shl (i32.and (local.get $part) (i32.const 2)) (i32.const 4)))))
        (local.set $to (i32.add (local.get $out) (i32.or
          (i32.shl (i32.and (local.get $part) (i32.const 1)) (i32.const 5))
          (i32.shl (i32.and (local.get $part) (i32.const 2)) (i32.const 2)))))
        ;; 1 - bits/2^32 is (1 + f) 2^k, with 1 + f between the roots of 1/2 and 2
        (local.set $x (f64x2.sub (global.get $one)
          (f64x2.mul (f64x2.convert_low_i32x4_u (v128.load64_zero (local.get $from))) (global.get $two_to_minus_32))))
        (local.set $w (i64x2.sub (local.get $x) (global.get $root)))
        ;; k + 64 as the last bits of 2^52
        (local.set $k (f64x2.sub
          (v128.or (global.get $two_to_52)
            (i64x2.shr_u (i64x2.add (local.get $w) (global.get $exponent_64)) (i32.const 52)))
          (global.get $two_to_52_and_64)))
        (local.set $f (f64x2.sub
          (i64x2.sub (local.get $x) (v128.and (local.get $w) (global.get $exponents)))
          (global.get $one)))
        (local.set $s (f64x2.div (local.get $f) (f64x2.add (global.get $two) (local.get $f))))
        (local.set $z (f64x2.mul (local.get $s) (local.get $s)))
        (local.set $w (f64x2.mul (local.get $z) (local.get $z)))
        (local.set $radius (f64x2.mul (global.get $half) (f64x2.mul (local.get $f) (local.get $f))))
        (local.set $x (f64x2.add
          (f64x2.mul (local.get $z)
            (f64x2.add (global.get $log1) (f64x2.mul (local.get $w)
            (f64x2.add (global.get $log3) (f64x2.mul (local.get $w)
            (f64x2.add (global.get $log5) (f64x2.mul (local.get $w) (global.get $log7))))))))
          (f64x2.mul (local.get $w)
            (f64x2.add (global.get $log2) (f64x2.mul (local.get $w)
            (f64x2.add (global.get $log4) (f64x2.mul (local.get $w) (global.get $log6))))))))
        (local.set $x (f64x2.sub
          (f64x2.mul (local.get $k) (global.get $ln2_high))
          (f64x2.sub
            (f64x2.sub (local.get $radius)
              (f64x2.add (f64x2.mul (local.get $s) (f64x2.add (local.get $radius) (local.get $x)))
                (f64x2.mul (local.get $k) (global.get $ln2_low))))
            (local.get $f))))
        (local.set $radius (f64x2.mul (local.get $scale) (f64x2.sqrt (f64x2.mul (global.get $minus_two) (local.get $x)))))

        ;; the angle, less $k quarter turns
        (local.set $x (f64x2.mul (global.get $two_to_minus_32)
          (f64x2.mul (global.get $turn) (f64x2.convert_low_i32x4_u (v128.load64_zero offset=16 (local.get $from))))))
        (local.set $k (f64x2.nearest (f64x2.mul (local.get $x) (global.get $quarters))))
        (local.set $f (f64x2.sub
          (f64x2.sub (local.get $x) (f64x2.mul (local.get $k) (global.get $quarter_high)))
          (f64x2.mul (local.get $k) (global.get $quarter_low))))
        (local.set $z (f64x2.mul (local.get $f) (local.get $f)))
        (local.set $s (f64x2.add (local.get $f) (f64x2.mul (f64x2.mul (local.get $f) (local.get $z))
          (f64x2.add (global.get $sin1) (f64x2.mul (local.get $z)
          (f64x2.add (global.get $sin2) (f64x2.mul (local.get $z)
          (f64x2.add (global.get $sin3) (f64x2.mul (local.get $z)
          (f64x2.add (global.get $sin4) (f64x2.mul (local.get $z)
          (f64x2.add (global.get $sin5) (f64x2.mul (local.get $z) (global.get $sin6))))))))))))))
        (local.set $w (f64x2.add
          (f64x2.sub (global.get $one) (f64x2.mul (global.get $half) (local.get $z)))
          (f64x2.mul (f64x2.mul (local.get $z) (local.get $z))
          (f64x2.add (global.get $cos1) (f64x2.mul (local.get $z)
          (f64x2.add (global.get $cos2) (f64x2.mul (local.get $z)
          (f64x2.add (global.get $cos3) (f64x2.mul (local.get $z)
          (f64x2.add (global.get $cos4) (f64x2.mul (local.get $z)
          (f64x2.add (global.get $cos5) (f64x2.mul (local.get $z) (global.get $cos6))))))))))))))
        ;; each quarter turn swaps the two, and a sign
        (local.set $k (f64x2.add (local.get $k) (global.get $two_to_52)))
        (local.set $odd (i64x2.eq (v128.and (local.get $k) (global.get $bit0)) (global.get $bit0)))
        (local.set $cos (v128.xor
          (v128.bitselect (local.get $s) (local.get $w) (local.get $odd))
          (i64x2.shl (v128.and (i64x2.add (local.get $k) (global.get $bit0)) (global.get $bit1)) (i32.const 62))))
        (local.set $sin (v128.xor
          (v128.bitselect (local.get $w) (local.get $s) (local.get $odd))
          (i64x2.shl (v128.and (local.get $k) (global.get $bit1)) (i32.const 62))))
        (local.set $cos (f64x2.mul (local.get $radius) (local.get $cos)))
        (local.set $sin (f64x2.mul (local.get $radius) (local.get $sin)))
        (local.set $doubt (v128.or (local.get $doubt) (v128.or
          (f64x2.lt (f64x2.abs (local.get $f)) (global.get $close))
          (i32x4.lt_s
            (v128.and (global.get $dropped) (i32x4.sub
              (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $cos) (local.get $sin))
              (global.get $middle)))
            (global.get $width)))))
        (local.set $x (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23
          (f32x4.demote_f64x2_zero (local.get $cos)) (f32x4.demote_f64x2_zero (local.get $sin))))
        (v128.store64_lane 0 (local.get $to) (local.get $x))
        (v128.store64_lane offset=16 1 (local.get $to) (local.get $x))
        (br_if $parts (i32.lt_u (local.tee $part (i32.add (local.get $part) (i32.const 1))) (i32.const 4))))
      (if (v128.any_true (local.get $doubt))
        (then
          (i32.store (i32.add (local.get $doubtful) (i32.shl (local.get $found) (i32.const 2))) (local.get $group))
          (local.set $found (i32.add (local.get $found) (i32.const 1)))))
      (local.set $counters (i32x4.add (local.get $counters) (v128.const i32x4 4 4 4 4)))
      (local.set $out (i32.add (local.get $out) (i32.const 64)))
      (br_if $next (i32.lt_u (local.tee $group (i32.add (local.get $group) (i32.const 1))) (local.get $groups))))
    (local.get $found)))
