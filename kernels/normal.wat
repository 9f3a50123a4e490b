;; Normal float32 values from Philox 4x32-10, four counters at a time (see src/compute/models/philox.ts, whose values these are).
;;
;; Three loops pass over counters that fit into the first-level cache: the random words; radius, cosine and sine, in float64 and
;; with the angle in an eighth of a turn around zero; and what a quarter turn makes of the two. Logarithm, cosine and sine are
;; polynomials whose relative error is less than 2^-43: a value that lies so close to the middle between two float32 that this
;; may decide is doubtful, and so is one whose angle is next to a multiple of a quarter turn. The caller makes these again.
(module
  (import "kernel" "memory" (memory 1))

  ;; Constants are read from memory, which is quicker than making them where they are used.
  (global $multiplier0 v128 (v128.const i32x4 0xd2511f53 0xd2511f53 0xd2511f53 0xd2511f53))
  (global $multiplier1 v128 (v128.const i32x4 0xcd9e8d57 0xcd9e8d57 0xcd9e8d57 0xcd9e8d57))
  (global $weyl0 v128 (v128.const i32x4 0x9e3779b9 0x9e3779b9 0x9e3779b9 0x9e3779b9))
  (global $weyl1 v128 (v128.const i32x4 0xbb67ae85 0xbb67ae85 0xbb67ae85 0xbb67ae85))
  (global $one v128 (v128.const f64x2 1 1))
  ;; upper halves of float64 whose lower halves count in units of 2^-32, and of 1; the first of them, with 1 more, and the second
  (global $upper_20 v128 (v128.const i32x4 0x41300000 0x41300000 0x41300000 0x41300000))
  (global $upper_52 v128 (v128.const i32x4 0x43300000 0x43300000 0x43300000 0x43300000))
  (global $two_to_20_and_1 v128 (v128.const f64x2 0x1.00001p20 0x1.00001p20))
  (global $two_to_52 v128 (v128.const f64x2 0x1p52 0x1p52))
  ;; bits of the root of 1/2, and less 64 in the exponent; bits of the fraction; 2^52 and 64 more
  (global $root v128 (v128.const i64x2 0x3fe6a09e667f3bcd 0x3fe6a09e667f3bcd))
  (global $root_less_64 v128 (v128.const i64x2 0x3be6a09e667f3bcd 0x3be6a09e667f3bcd))
  (global $fraction v128 (v128.const i64x2 0x000fffffffffffff 0x000fffffffffffff))
  (global $two_to_52_and_64 v128 (v128.const f64x2 0x1.000000000004p52 0x1.000000000004p52))
  ;; -2 ln 2; -2 ln((1 + s) / (1 - s)) / s in powers of s^2, for 1 + s over 1 - s between the roots of 1/2 and 2: within 2^-45
  (global $minus_two_ln2 v128 (v128.const f64x2 -0x1.62e42fefa39efp0 -0x1.62e42fefa39efp0))
  (global $log0 v128 (v128.const f64x2 -0x1.fffffffffff10p+1 -0x1.fffffffffff10p+1))
  (global $log1 v128 (v128.const f64x2 -0x1.5555555672dcep+0 -0x1.5555555672dcep+0))
  (global $log2 v128 (v128.const f64x2 -0x1.99999628a78b3p-1 -0x1.99999628a78b3p-1))
  (global $log3 v128 (v128.const f64x2 -0x1.249439601caf1p-1 -0x1.249439601caf1p-1))
  (global $log4 v128 (v128.const f64x2 -0x1.c6208ce12c8aap-2 -0x1.c6208ce12c8aap-2))
  (global $log5 v128 (v128.const f64x2 -0x1.9198130d94652p-2 -0x1.9198130d94652p-2))
  ;; a turn in units of 2^-32; a quarter turn as two numbers
  (global $turn v128 (v128.const f64x2 0x1.921fb54442d18p-30 0x1.921fb54442d18p-30))
  (global $quarter_high v128 (v128.const f64x2 1.57079632673412561417e+00 1.57079632673412561417e+00))
  (global $quarter_low v128 (v128.const f64x2 6.07710050650619224932e-11 6.07710050650619224932e-11))
  ;; sin(f) / f and cos(f) in powers of f^2, after the 1, for f up to an eighth of a turn: within 2^-47 and 2^-43.6
  (global $sin1 v128 (v128.const f64x2 -0x1.5555555552239p-3 -0x1.5555555552239p-3))
  (global $sin2 v128 (v128.const f64x2 0x1.1111110c872e7p-7 0x1.1111110c872e7p-7))
  (global $sin3 v128 (v128.const f64x2 -0x1.a019f93962fe8p-13 -0x1.a019f93962fe8p-13))
  (global $sin4 v128 (v128.const f64x2 0x1.71d76d13bc27ap-19 0x1.71d76d13bc27ap-19))
  (global $sin5 v128 (v128.const f64x2 -0x1.a961a098c8a57p-26 -0x1.a961a098c8a57p-26))
  (global $cos1 v128 (v128.const f64x2 -0x1.ffffffffe98afp-2 -0x1.ffffffffe98afp-2))
  (global $cos2 v128 (v128.const f64x2 0x1.55555545c509fp-5 0x1.55555545c509fp-5))
  (global $cos3 v128 (v128.const f64x2 -0x1.6c16b348b313ap-10 -0x1.6c16b348b313ap-10))
  (global $cos4 v128 (v128.const f64x2 0x1.a00eb9aa1525ep-16 0x1.a00eb9aa1525ep-16))
  (global $cos5 v128 (v128.const f64x2 -0x1.23c97d6debc6dp-22 -0x1.23c97d6debc6dp-22))
  ;; of the 29 bits that a float32 lacks: the middle less 1024; and all but the last 11
  (global $middle v128 (v128.const i32x4 0x0ffffc00 0x0ffffc00 0x0ffffc00 0x0ffffc00))
  (global $dropped v128 (v128.const i32x4 0x1ffff800 0x1ffff800 0x1ffff800 0x1ffff800))
  ;; of the 30 bits of an angle within a quarter turn: 1024, and all but the last 11; half an eighth of a turn, halved
  (global $close v128 (v128.const i32x4 0x400 0x400 0x400 0x400))
  (global $apart v128 (v128.const i32x4 0x3ffff800 0x3ffff800 0x3ffff800 0x3ffff800))
  (global $eighth v128 (v128.const i32x4 0x10000000 0x10000000 0x10000000 0x10000000))

  ;; Writes 16 values for each of $groups groups of four counters, whose lowest words begin with $low and do not wrap.
  ;; $high, $stream0, $stream1: the other words of the counters; $key0, $key1: the key
  ;; $doubtful: room for an int32 per group; gets the indices of those with a doubtful value. Result: how many there are.
  ;; $work: 14.5 KiB to work in: for each of both pairs of words of 256 counters, 1 KiB of the first words, of the second, of quarter
  ;; turns, of cosines and of sines, and 2 KiB of what tells whether a value is doubtful; then the round keys
  (func (export "normal") (param $out i32) (param $groups i32) (param $low i32) (param $high i32) (param $stream0 i32) (param $stream1 i32)
      (param $key0 i32) (param $key1 i32) (param $deviation f64) (param $doubtful i32) (param $work i32) (result i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $counters v128)
    (local $low0 v128) (local $high0 v128) (local $low1 v128) (local $high1 v128) (local $k0 v128) (local $k1 v128)
    (local $a1 v128) (local $b1 v128) (local $c1 v128) (local $c2 v128) (local $d2 v128)
    (local $keys i32) (local $key i32) (local $end i32) (local $at i32) (local $to i32) (local $group i32) (local $found i32) (local $pair i32)
    (local $scale v128) (local $x v128) (local $k v128) (local $f v128) (local $z v128) (local $radius v128) (local $cos v128) (local $sin v128)
    (local $u v128) (local $v v128) (local $s v128) (local $t v128) (local $doubt v128)
    (local.set $counters (i32x4.add (i32x4.splat (local.get $low)) (v128.const i32x4 0 1 2 3)))
    (local.set $scale (f64x2.splat (local.get $deviation)))
    ;; the keys of the rounds
    (local.set $keys (i32.add (local.get $work) (i32.const 14336)))
    (local.set $k0 (i32x4.splat (local.get $key0)))
    (local.set $k1 (i32x4.splat (local.get $key1)))
    (local.set $key (local.get $keys))
    (local.set $end (i32.add (local.get $keys) (i32.const 320)))
    (loop $rounds
      (v128.store (local.get $key) (local.get $k0))
      (v128.store offset=16 (local.get $key) (local.get $k1))
      (local.set $k0 (i32x4.add (local.get $k0) (global.get $weyl0)))
      (local.set $k1 (i32x4.add (local.get $k1) (global.get $weyl1)))
      (br_if $rounds (i32.lt_u (local.tee $key (i32.add (local.get $key) (i32.const 32))) (local.get $end))))
    ;; What all counters have in common after a round and after two: $a1 and $b1, $d2, and what is added to $c.
    (local.set $c (i32x4.splat (local.get $stream0)))
    (local.set $low1 (i64x2.extmul_low_i32x4_u (local.get $c) (global.get $multiplier1)))
    (local.set $a1 (v128.xor
      (i8x16.shuffle 4 5 6 7 12 13 14 15 4 5 6 7 12 13 14 15 (local.get $low1) (local.get $low1))
      (v128.xor (i32x4.splat (local.get $high)) (v128.load (local.get $keys)))))
    (local.set $b1 (v128.xor
      (i8x16.shuffle 0 1 2 3 8 9 10 11 0 1 2 3 8 9 10 11 (local.get $low1) (local.get $low1))
      (v128.load offset=32 (local.get $keys))))
    (local.set $c1 (v128.xor (i32x4.splat (local.get $stream1)) (v128.load offset=16 (local.get $keys))))
    (local.set $low0 (i64x2.extmul_low_i32x4_u (local.get $a1) (global.get $multiplier0)))
    (local.set $c2 (v128.xor
      (i8x16.shuffle 4 5 6 7 12 13 14 15 4 5 6 7 12 13 14 15 (local.get $low0) (local.get $low0))
      (v128.load offset=48 (local.get $keys))))
    (local.set $d2 (i8x16.shuffle 0 1 2 3 8 9 10 11 0 1 2 3 8 9 10 11 (local.get $low0) (local.get $low0)))
    (loop $chunk
      ;; Bytes of each kind: four for each counter.
      (local.set $end (i32.shl (select (i32.const 64) (i32.sub (local.get $groups) (local.get $group))
        (i32.gt_u (i32.sub (local.get $groups) (local.get $group)) (i32.const 64))) (i32.const 4)))

      (local.set $at (i32.const 0))
      (local.set $to (local.get $work))
      (loop $words
        (local.set $low0 (i64x2.extmul_low_i32x4_u (local.get $counters) (global.get $multiplier0)))
        (local.set $high0 (i64x2.extmul_high_i32x4_u (local.get $counters) (global.get $multiplier0)))
        (local.set $c (v128.xor
          (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low0) (local.get $high0))
          (local.get $c1)))
        (local.set $low1 (i64x2.extmul_low_i32x4_u (local.get $c) (global.get $multiplier1)))
        (local.set $high1 (i64x2.extmul_high_i32x4_u (local.get $c) (global.get $multiplier1)))
        (local.set $a (v128.xor
          (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low1) (local.get $high1))
          (local.get $b1)))
        (local.set $b (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low1) (local.get $high1)))
        (local.set $c (v128.xor
          (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low0) (local.get $high0))
          (local.get $c2)))
        (local.set $d (local.get $d2))
        (local.set $key (i32.const 64))
        (loop $rounds
          (local.set $low0 (i64x2.extmul_low_i32x4_u (local.get $a) (global.get $multiplier0)))
          (local.set $high0 (i64x2.extmul_high_i32x4_u (local.get $a) (global.get $multiplier0)))
          (local.set $low1 (i64x2.extmul_low_i32x4_u (local.get $c) (global.get $multiplier1)))
          (local.set $high1 (i64x2.extmul_high_i32x4_u (local.get $c) (global.get $multiplier1)))
          (local.set $a (v128.xor
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low1) (local.get $high1))
            (v128.xor (local.get $b) (v128.load (i32.add (local.get $keys) (local.get $key))))))
          (local.set $b (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low1) (local.get $high1)))
          (local.set $c (v128.xor
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low0) (local.get $high0))
            (v128.xor (local.get $d) (v128.load offset=16 (i32.add (local.get $keys) (local.get $key))))))
          (local.set $d (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low0) (local.get $high0)))
          (br_if $rounds (i32.lt_u (local.tee $key (i32.add (local.get $key) (i32.const 32))) (i32.const 320))))
        (v128.store (local.get $to) (local.get $a))
        (v128.store offset=1024 (local.get $to) (local.get $c))
        (v128.store offset=2048 (local.get $to) (local.get $b))
        (v128.store offset=3072 (local.get $to) (local.get $d))
        ;; the nearest quarter turn, from 0 to 4
        (v128.store offset=4096 (local.get $to)
          (i32x4.shr_u (i32x4.add (i32x4.shr_u (local.get $b) (i32.const 1)) (global.get $eighth)) (i32.const 29)))
        (v128.store offset=5120 (local.get $to)
          (i32x4.shr_u (i32x4.add (i32x4.shr_u (local.get $d) (i32.const 1)) (global.get $eighth)) (i32.const 29)))
        (local.set $counters (i32x4.add (local.get $counters) (v128.const i32x4 4 4 4 4)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (br_if $words (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))

      (local.set $pair (i32.const 0))
      (loop $pairs
        (local.set $at (i32.add (local.get $work) (i32.shl (local.get $pair) (i32.const 10))))
        (local.set $to (i32.add (i32.add (local.get $work) (i32.const 10240)) (i32.shl (local.get $pair) (i32.const 11))))
        (local.set $key (i32.add (local.get $at) (local.get $end)))
        (loop $values
          ;; 1 - bits/2^32 is (1 + f) 2^k, with 1 + f between the roots of 1/2 and 2
          (local.set $x (f64x2.sub (global.get $two_to_20_and_1)
            (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (v128.load64_zero (local.get $at)) (global.get $upper_20))))
          (local.set $x (i64x2.sub (local.get $x) (global.get $root_less_64)))
          ;; k + 64 as the last bits of 2^52
          (local.set $k (f64x2.sub
            (v128.or (global.get $two_to_52) (i64x2.shr_u (local.get $x) (i32.const 52)))
            (global.get $two_to_52_and_64)))
          (local.set $x (i64x2.add (v128.and (local.get $x) (global.get $fraction)) (global.get $root)))
          (local.set $f (f64x2.div (f64x2.sub (local.get $x) (global.get $one)) (f64x2.add (local.get $x) (global.get $one))))
          (local.set $z (f64x2.mul (local.get $f) (local.get $f)))
          (local.set $radius (f64x2.mul (local.get $scale) (f64x2.sqrt (f64x2.add
            (f64x2.mul (local.get $k) (global.get $minus_two_ln2))
            (f64x2.mul (local.get $f)
              (f64x2.add (global.get $log0) (f64x2.mul (local.get $z)
              (f64x2.add (global.get $log1) (f64x2.mul (local.get $z)
              (f64x2.add (global.get $log2) (f64x2.mul (local.get $z)
              (f64x2.add (global.get $log3) (f64x2.mul (local.get $z)
              (f64x2.add (global.get $log4) (f64x2.mul (local.get $z) (global.get $log5))))))))))))))))

          ;; the angle, less $k quarter turns
          (local.set $x (f64x2.mul (global.get $turn) (f64x2.sub
            (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (v128.load64_zero offset=2048 (local.get $at)) (global.get $upper_52))
            (global.get $two_to_52))))
          (local.set $k (f64x2.sub
            (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (v128.load64_zero offset=4096 (local.get $at)) (global.get $upper_52))
            (global.get $two_to_52)))
          (local.set $f (f64x2.sub
            (f64x2.sub (local.get $x) (f64x2.mul (local.get $k) (global.get $quarter_high)))
            (f64x2.mul (local.get $k) (global.get $quarter_low))))
          (local.set $z (f64x2.mul (local.get $f) (local.get $f)))
          (local.set $sin (f64x2.mul (f64x2.mul (local.get $radius) (local.get $f))
            (f64x2.add (global.get $one) (f64x2.mul (local.get $z)
            (f64x2.add (global.get $sin1) (f64x2.mul (local.get $z)
            (f64x2.add (global.get $sin2) (f64x2.mul (local.get $z)
            (f64x2.add (global.get $sin3) (f64x2.mul (local.get $z)
            (f64x2.add (global.get $sin4) (f64x2.mul (local.get $z) (global.get $sin5)))))))))))))
          (local.set $cos (f64x2.mul (local.get $radius)
            (f64x2.add (global.get $one) (f64x2.mul (local.get $z)
            (f64x2.add (global.get $cos1) (f64x2.mul (local.get $z)
            (f64x2.add (global.get $cos2) (f64x2.mul (local.get $z)
            (f64x2.add (global.get $cos3) (f64x2.mul (local.get $z)
            (f64x2.add (global.get $cos4) (f64x2.mul (local.get $z) (global.get $cos5)))))))))))))
          (v128.store64_lane offset=6144 0 (local.get $at) (f32x4.demote_f64x2_zero (local.get $cos)))
          (v128.store64_lane offset=8192 0 (local.get $at) (f32x4.demote_f64x2_zero (local.get $sin)))
          ;; zero where a value is doubtful
          (v128.store (local.get $to) (v128.and (global.get $dropped) (i32x4.sub
            (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $cos) (local.get $sin))
            (global.get $middle))))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $values (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $key))))
        (br_if $pairs (local.tee $pair (i32.xor (local.get $pair) (i32.const 1)))))

      (local.set $at (local.get $work))
      (local.set $key (i32.add (local.get $at) (local.get $end)))
      (local.set $to (i32.add (local.get $work) (i32.const 10240)))
      (loop $quarters
        ;; each quarter turn swaps cosine and sine, and a sign
        (local.set $cos (v128.load offset=6144 (local.get $at)))
        (local.set $sin (v128.load offset=8192 (local.get $at)))
        (local.set $k (v128.load offset=4096 (local.get $at)))
        (local.set $x (i32x4.shr_s (i32x4.shl (local.get $k) (i32.const 31)) (i32.const 31)))
        (local.set $a (v128.xor
          (v128.bitselect (local.get $sin) (local.get $cos) (local.get $x))
          (i32x4.shl (i32x4.shr_u (i32x4.add (local.get $k) (v128.const i32x4 1 1 1 1)) (i32.const 1)) (i32.const 31))))
        (local.set $b (v128.xor
          (v128.bitselect (local.get $cos) (local.get $sin) (local.get $x))
          (i32x4.shl (i32x4.shr_u (local.get $k) (i32.const 1)) (i32.const 31))))
        (local.set $cos (v128.load offset=7168 (local.get $at)))
        (local.set $sin (v128.load offset=9216 (local.get $at)))
        (local.set $k (v128.load offset=5120 (local.get $at)))
        (local.set $x (i32x4.shr_s (i32x4.shl (local.get $k) (i32.const 31)) (i32.const 31)))
        (local.set $c (v128.xor
          (v128.bitselect (local.get $sin) (local.get $cos) (local.get $x))
          (i32x4.shl (i32x4.shr_u (i32x4.add (local.get $k) (v128.const i32x4 1 1 1 1)) (i32.const 1)) (i32.const 31))))
        (local.set $d (v128.xor
          (v128.bitselect (local.get $cos) (local.get $sin) (local.get $x))
          (i32x4.shl (i32x4.shr_u (local.get $k) (i32.const 1)) (i32.const 31))))
        ;; four values of each counter side by side
        (local.set $u (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
        (local.set $v (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
        (local.set $s (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
        (local.set $t (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
        (v128.store (local.get $out)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $u) (local.get $v)))
        (v128.store offset=16 (local.get $out)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $u) (local.get $v)))
        (v128.store offset=32 (local.get $out)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $s) (local.get $t)))
        (v128.store offset=48 (local.get $out)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $s) (local.get $t)))
        (local.set $doubt (i32x4.min_u
          (i32x4.min_u
            (v128.and (i32x4.add (v128.load offset=2048 (local.get $at)) (global.get $close)) (global.get $apart))
            (v128.and (i32x4.add (v128.load offset=3072 (local.get $at)) (global.get $close)) (global.get $apart)))
          (i32x4.min_u
            (i32x4.min_u (v128.load (local.get $to)) (v128.load offset=16 (local.get $to)))
            (i32x4.min_u (v128.load offset=2048 (local.get $to)) (v128.load offset=2064 (local.get $to))))))
        (if (i32.eqz (i32x4.all_true (local.get $doubt)))
          (then
            (i32.store (i32.add (local.get $doubtful) (i32.shl (local.get $found) (i32.const 2))) (local.get $group))
            (local.set $found (i32.add (local.get $found) (i32.const 1)))))
        (local.set $group (i32.add (local.get $group) (i32.const 1)))
        (local.set $out (i32.add (local.get $out) (i32.const 64)))
        (local.set $to (i32.add (local.get $to) (i32.const 32)))
        (br_if $quarters (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $key))))
      (br_if $chunk (i32.lt_u (local.get $group) (local.get $groups))))
    (local.get $found)))
