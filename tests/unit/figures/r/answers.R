# Write what R answers for each interval, limit, test and curve of viputils.figures, as answers.csv beside this file:
#
#     Rscript tests/unit/figures/r/answers.R
#
# Each row names its call. The inputs are the arguments of the Python function. test_r_answers.py compares.
suppressPackageStartupMessages(library(survival))

rows <- list()
texts <- function(values) paste(vapply(values, function(one) format(one, digits = 15), ""), collapse = " ")

# The call is R code. It is run with the inputs as variables.
ask <- function(what, call, ...) {
  inputs <- list(...)
  answer <- eval(parse(text = call), list2env(inputs, parent = globalenv()))
  given <- paste(vapply(names(inputs), function(name) paste0(name, "=", texts(inputs[[name]])), ""), collapse = ";")
  rows[[length(rows) + 1]] <<- data.frame(what = what, inputs = given, call = call, answer = texts(answer))
}

for (count in c(0, 1, 5, 61, 320)) for (exposure in c(1, 12)) for (level in c(0.8, 0.95, 0.995)) {
  ask("poisson", "poisson.test(count, exposure, conf.level = level)$conf.int",
      count = count, exposure = exposure, level = level)
}

for (pair in list(c(5, 3), c(90, 61), c(320, 315), c(0, 7), c(7, 0), c(1, 1))) {
  for (lengths in list(c(1, 1), c(5, 12))) for (level in c(0.8, 0.95, 0.995)) {
    ask("ratio", "poisson.test(c(count, base), c(exposure, base_exposure), conf.level = level)$conf.int",
        count = pair[1], base = pair[2], exposure = lengths[1], base_exposure = lengths[2], level = level)
  }
}

for (part in list(c(0, 5), c(1, 29), c(15, 148), c(81, 263), c(20, 20))) for (level in c(0.8, 0.95, 0.99)) {
  ask("wilson", "prop.test(successes, total, conf.level = level, correct = FALSE)$conf.int",
      successes = part[1], total = part[2], level = level)
}

# Nelson's interval of a future count is made of quantiles of the negative binomial distribution.
for (count in c(0, 1, 12, 244, 1464)) for (exposure in c(5, 24)) for (ahead in c(1, 7)) for (level in c(0.95, 0.9973)) {
  ask("future", paste("c(if (count) qnbinom((1 - level) / 2, count, exposure / (exposure + ahead)) else 0,",
                      "qnbinom(1 - (1 - level) / 2, count + 1, exposure / (exposure + ahead)))"),
      count = count, exposure = exposure, ahead = ahead, level = level)
}

for (mean in c(0.3, 4, 12.5, 61, 500)) {
  for (tail in c(0.00135, 0.00135 / 11, 0.02275, 0.15866)) {
    ask("chance_limits", "qpois(c(tail, 1 - tail), mean)", mean = mean, tail = tail)
  }
  ask("median", "qpois(0.5, mean)", mean = mean)
}

ask("tails", "pnorm(c(-3, -2, -1))")

# The chance that counts are this uneven.
steady <- c(61, 55, 68, 60, 59, 64, 70, 52, 58, 66, 63, 57)
uneven <- c(30, 90, 45, 71, 20, 88, 61, 39, 99, 25, 60, 52)
scheduled <- c(4, 5, 4, 4, 5, 4, 5, 4, 4, 4, 5, 4)
between <- c(61, 50, 75, 60, 52, 68, 74, 48, 57, 70, 63, 51)
ask("are_even", "chisq.test(counts)$p.value", counts = steady)
ask("are_even", "chisq.test(counts)$p.value", counts = uneven)
ask("are_even", "chisq.test(counts)$p.value", counts = scheduled)
ask("are_even", "chisq.test(counts, p = expected / sum(expected))$p.value",
    counts = c(12, 30, 9, 41), expected = c(15.5, 23, 11.5, 42))

# The limits of a month after these: the dispersion by Fisher's test, and then Nelson's interval of the scaled counts.
usual <- paste(
  "{ found <- chisq.test(counts); spread <- if (found$p.value < 0.2) min(found$statistic / found$parameter, 4) else 1;",
  "share <- length(counts) / (length(counts) + 1); scaled <- sum(counts) / spread;",
  "c(spread, floor(spread * qnbinom(tail, scaled, share)), ceiling(spread * qnbinom(1 - tail, scaled + 1, share))) }"
)
for (counts in list(steady, uneven, scheduled, between)) for (tail in c(0.00135, 0.00135 / 6)) {
  ask("usual_of", usual, counts = counts, tail = tail)
}

# Freireich and others' 6-MP arm, a small group without anybody censored, and one of ties with censored people.
remissions <- list(days = c(6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35),
                   engaged = c(rep(1, 9), rep(0, 12)))
few <- list(days = c(1, 1, 3, 8), engaged = c(1, 1, 1, 1))
ties <- list(days = c(5, 5, 5, 12, 12, 30, 30, 30, 41, 90, 90), engaged = c(1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 0))
curve <- "survfit(Surv(days, engaged) ~ 1, conf.type = 'log-log', conf.int = level)"
for (group in list(remissions, few, ties)) for (level in c(0.95, 0.8)) {
  for (part in c("time", "n.risk", "n.event", "surv", "lower", "upper")) {
    ask(paste0("curve ", part), paste0("{ it <- ", curve, "; it$", part, "[it$n.event > 0] }"),
        days = group$days, engaged = group$engaged, level = level)
  }
}

median <- paste0("{ it <- quantile(", curve, ", 0.5); c(it$quantile, it$lower, it$upper) }")
# Not of the small group: if exactly half have had it by a day, R's median lies halfway to the next one.
for (group in list(remissions, ties)) for (level in c(0.95, 0.8)) {
  ask("median days", median, days = group$days, engaged = group$engaged, level = level)
}

# The placebo arm of the same trial beside the 6-MP arm; and a third group.
placebo <- c(1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
two <- list(days = c(remissions$days, placebo), engaged = c(remissions$engaged, rep(1, 21)),
            group = rep(1:2, each = 21))
three <- list(days = c(two$days, ties$days), engaged = c(two$engaged, ties$engaged), group = c(two$group, rep(3, 11)))
for (groups in list(two, three)) {
  ask("log_rank", "{ it <- survdiff(Surv(days, engaged) ~ group); c(it$chisq, length(it$n) - 1, it$pvalue, it$exp) }",
      days = groups$days, engaged = groups$engaged, group = groups$group)
}

# A program that begins after so many months: a Poisson regression with a trend, quasi-Poisson if months vary more.
began <- paste(
  "{ time <- (seq_along(counts) - 1) / 12; after <- as.numeric(seq_along(counts) > before);",
  "it <- glm(counts ~ time + after, family = poisson); spread <- max(1, sum(residuals(it, 'pearson')^2) / it$df.residual);",
  "at <- coef(it)[['after']]; error <- sqrt(spread * vcov(it)['after', 'after']);",
  "c(exp(at + c(0, -1, 1) * qt(0.975, it$df.residual) * error), spread) }"
)
for (counts in list(c(steady, 40, 44, 39, 47, 41, 38, 45, 43), c(uneven, between, steady))) {
  ask("interrupted", began, counts = counts, before = 12)
}

# A lasting change, by the definition itself: the likelihood of all counts at once, level and earlier changes unknown.
# The model is that of decision 0048. Nothing of the Python code's algebra is repeated here.
wide <- function(number, mean, season, excess) {
  time <- 0:(number - 1); apart <- abs(outer(time, time, "-")); center <- (time - mean(time)) / 12
  slow <- 0.05^2 * cos(pi * apart / 3) + 0.08^2 * center %o% center + season^2 * cos(pi * apart / 6)
  diag(number) + mean * slow + excess * 0.7^apart
}
likelihood <- function(value, variance) {
  level <- rep(1, length(value)); inverse <- solve(variance)
  weight <- sum(level * (inverse %*% level)); left <- value - level * sum(level * (inverse %*% value)) / weight
  -(determinant(variance)$modulus[1] + log(weight) + sum(left * (inverse %*% left))) / 2
}
total <- function(logs) max(logs) + log(sum(exp(logs - max(logs))))
odds_of_a_step <- function(counts) {
  number <- length(counts); mean <- mean(counts); value <- 2 * sqrt(counts + 3 / 8); starts <- 12:(number - 2)
  models <- expand.grid(season = c(0.03, 0.18), place = 1:6)
  excess <- c(0, 0.5, 1, 2, 4, 10)[models$place]
  prior <- log(0.5 * c(0.5, 0.125, 0.125, 0.125, 0.1, 0.025)[models$place])
  none <- c(); some <- c()
  for (row in seq_len(nrow(models))) {
    variance <- wide(number, mean, models$season[row], excess[row])
    none <- c(none, prior[row] + likelihood(value, variance))
    for (month in (number - 11):number) {
      apart <- as.numeric(seq_len(number) == month)
      none <- c(none, prior[row] + log(0.5 / 12) + likelihood(value, variance + 0.5^2 * mean * apart %o% apart))
    }
    for (start in starts) {
      step <- as.numeric(0:(number - 1) >= start)
      some <- c(some, prior[row] - log(length(starts)) +
                  likelihood(value, variance + 0.5^2 * mean * step %o% step))
    }
  }
  total(some) - total(none)
}
for (counts in list(c(steady, 62, 58), c(steady, 120, 118, 131), c(uneven, steady), c(steady, steady, 90, 88, 96, 92))) {
  ask("odds of a step", "odds_of_a_step(counts)", counts = counts)
}

version <- paste0("R ", getRversion(), ", survival ", packageVersion("survival"))
place <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1], fixed = TRUE))
found <- cbind(do.call(rbind, rows), version = version)
write.csv(found, file.path(place, "answers.csv"), row.names = FALSE, eol = "\n")
