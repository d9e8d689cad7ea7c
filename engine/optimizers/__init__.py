"""Gradient descent: SGD, Momentum, Adam, weight decay, clipping, and the decay of the learning rate.

An optimizer is made of the parameters that it trains, network.parameters(), and writes into those arrays; so a network
is moved to its device before its optimizer is made. What it remembers stands in arrays of the same paths and shapes.
"""
from engine.optimizers.adam import Adam
from engine.optimizers.optimizer import Optimizer, gradient_norm
from engine.optimizers.schedules import cosine_decay, exponential_decay
from engine.optimizers.sgd import SGD, Momentum

__all__ = ["SGD", "Adam", "Momentum", "Optimizer", "cosine_decay", "exponential_decay", "gradient_norm"]
